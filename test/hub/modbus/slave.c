/* A Modbus slave of libmodbus, told by lines on its standard input what to be.
   usage: slave rtu DEVICE BAUD UNIT | slave tcp PORT UNIT
   commands: holding A V · input A V · coil A V · discrete A V      set one value
             delay MS N                                            answer the next N requests so late (N < 0: all)
             except CODE N                                         refuse the next N requests
             mute N                                                leave the next N unanswered
             pace BAUD                                             let each request and answer take its time on the line
   It prints one line for each request: function, address, count or value. */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define SPACE 50000

static modbus_mapping_t *map;
static int delay_ms, delayed, exception, refused, muted, baud;

static void rest(double ms) {
  struct timespec span = {(time_t)(ms / 1000), (long)((ms - 1000 * (long)(ms / 1000)) * 1e6)};
  while (nanosleep(&span, &span) == -1 && errno == EINTR) {}
}

static void command(const char *line) {
  char word[16];
  int a = 0, b = 0;
  if (sscanf(line, "%15s %d %d", word, &a, &b) < 1) return;
  if (!strcmp(word, "holding")) map->tab_registers[a] = (uint16_t)b;
  else if (!strcmp(word, "input")) map->tab_input_registers[a] = (uint16_t)b;
  else if (!strcmp(word, "coil")) map->tab_bits[a] = (uint8_t)b;
  else if (!strcmp(word, "discrete")) map->tab_input_bits[a] = (uint8_t)b;
  else if (!strcmp(word, "delay")) delay_ms = a, delayed = b;
  else if (!strcmp(word, "except")) exception = a, refused = b;
  else if (!strcmp(word, "mute")) muted = a;
  else if (!strcmp(word, "pace")) baud = a;
  puts("done");
}

/* True when the slave itself is at its end. */
static int read_commands(void) {
  static char text[4096];
  static size_t used;
  ssize_t got = read(STDIN_FILENO, text + used, sizeof text - 1 - used);
  if (got <= 0) return 1;
  used += (size_t)got;
  text[used] = 0;
  char *from = text;
  for (char *end; (end = strchr(from, '\n')) != NULL; from = end + 1) {
    *end = 0;
    command(from);
  }
  used = strlen(from);
  memmove(text, from, used + 1);
  return 0;
}

static int take(int *left) {
  if (*left == 0) return 0;
  if (*left > 0) --*left;
  return 1;
}

/* Characters of 10 bits: 8N1. Silence of three and a half of them ends the request. */
static void keep_pace(int function, int count) {
  if (baud == 0) return;
  int bytes = function <= 2 ? 5 + (count + 7) / 8 : function <= 4 ? 5 + 2 * count : 8;
  double gap = baud > 19200 ? 1.75 : 3.5 * 10000.0 / baud;
  rest(gap + (8 + bytes) * 10000.0 / baud);
}

static int answer(modbus_t *ctx) {
  uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
  int length = modbus_receive(ctx, query);
  if (length == -1) return errno == ECONNRESET || errno == EBADF || errno == EIO;
  if (length == 0) return 0;
  const uint8_t *pdu = query + modbus_get_header_length(ctx);
  printf("%d %d %d\n", pdu[0], pdu[1] << 8 | pdu[2], pdu[3] << 8 | pdu[4]);
  if (take(&muted)) return 0;
  keep_pace(pdu[0], pdu[3] << 8 | pdu[4]);
  if (take(&delayed)) rest(delay_ms);
  if (take(&refused)) modbus_reply_exception(ctx, query, (unsigned)exception);
  else modbus_reply(ctx, query, length, map);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  int rtu = !strcmp(argv[1], "rtu");
  setvbuf(stdout, NULL, _IOLBF, 0);
  modbus_t *ctx = rtu ? modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1) : modbus_new_tcp("127.0.0.1", atoi(argv[2]));
  map = modbus_mapping_new(SPACE, SPACE, SPACE, SPACE);
  if (ctx == NULL || map == NULL || modbus_set_slave(ctx, atoi(argv[rtu ? 4 : 3])) == -1) return 70;
  int server = rtu ? -1 : modbus_tcp_listen(ctx, 1);
  if (rtu ? modbus_connect(ctx) == -1 : server == -1) return perror("slave"), 69;
  int fd = rtu ? modbus_get_socket(ctx) : -1;
  puts("ready");
  for (;;) {
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(STDIN_FILENO, &readable);
    FD_SET(fd == -1 ? server : fd, &readable);
    if (select(FD_SETSIZE, &readable, NULL, NULL, NULL) == -1) return 71;
    if (FD_ISSET(STDIN_FILENO, &readable) && read_commands()) return 0;
    if (fd == -1 && FD_ISSET(server, &readable)) fd = modbus_tcp_accept(ctx, &server);
    else if (fd != -1 && FD_ISSET(fd, &readable) && answer(ctx)) {
      if (rtu) return 0;
      modbus_close(ctx);
      fd = -1;
    }
  }
}
