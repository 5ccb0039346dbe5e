/** `npx tugma`: the table of commands. Each one lives with its owner and is loaded only when it is asked for. */

/** What a command may touch: lines out, lines to the error stream, and the wish to stop. */
export interface CommandIo {
  print(line: string): void;
  printError(line: string): void;
  readonly signal: AbortSignal;
}

/** Settles with an exit status of sysexits.h: 0, 64 wrong command line, 65 wrong data, 69 unavailable, 78 configuration. */
export type Run = (args: readonly string[], io: CommandIo) => Promise<number>;

interface Command {
  readonly usage: string;
  readonly load: () => Promise<Run>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  demo: {
    usage: "demo [--fresh] [--dir D]       one hub, one centre and a site of four entrances on this machine",
    load: async () => (await import("./hardware/demo/demo.ts")).run,
  },
  press: {
    usage:
      "press [--json] [--out FILE]    a fresh world, one press, every stage with its time, evidence verified",
    load: async () => (await import("./hardware/demo/press.ts")).run,
  },
  hub: {
    usage: "hub run|enrol|config|status    the hub of one building or street",
    load: async () => (await import("./hub/cli.ts")).run,
  },
  centre: {
    usage: "centre run|init|invite|status  the receiving centre",
    load: async () => (await import("./centre/cli.ts")).run,
  },
  device: {
    usage: "device add|list|import         the devices that a hub listens to",
    load: async () => {
      const { run } = await import("./hub/cli.ts");
      return (args, io) => run(["device", ...args], io);
    },
  },
  flash: {
    usage: "flash --port P …|CRATE.csv     boards on their ports become devices of a hub, with labels",
    load: async () => {
      const [{ runFlash }, firmware, { flashProfile }] = await Promise.all([
        import("./hub/flash/cli.ts"),
        import("./firmware/flash/flasher.ts"),
        import("./hardware/flash-profile.ts"),
      ]);
      return (args, io) => runFlash(args, io, { ...firmware, profile: flashProfile });
    },
  },
  modbus: {
    usage: "modbus learn|profiles          what a fire panel of others says in its registers",
    load: async () => {
      const { run } = await import("./hub/cli.ts");
      return (args, io) => run(["modbus", ...args], io);
    },
  },
  hardware: {
    usage: "hardware check|bom|battery …   boards, wiring sheets, bills of materials, battery life",
    load: async () => {
      const { run } = await import("./hardware/cli.ts");
      return (args, io) =>
        run(args, io, async (role, uplink) => (await import("./firmware/build.ts")).bundleFor(role, uplink));
    },
  },
  decode: {
    usage: "decode BYTES [--json]          say what a frame or record means (hex, base64 or @file)",
    load: async () => (await import("./hub/decode.ts")).run,
  },
  verify: {
    usage: "verify FILE [--json]           check an evidence file, without a network",
    load: async () => (await import("./hub/verify.ts")).run,
  },
  bench: {
    usage: "bench [--json] [--svg FILE]    the speed and memory figures, as ratios measured in one run",
    load: async () => (await import("./test/bench/bench.ts")).run,
  },
  soak: {
    usage:
      "soak --count N --port PATH …   the bench rig presses a real button N times, and counts what was lost",
    load: async () => (await import("./hardware/bench/soak.ts")).run,
  },
  build: {
    usage: "build [--force]                build the web pages and the firmware bundles that are out of date",
    load: async () => (await import("./hardware/demo/build.ts")).run,
  },
};

function usage(): string {
  return ["usage: npx tugma COMMAND …", ...Object.values(COMMANDS).map((c) => `  ${c.usage}`)].join("\n");
}

/** Runs one command; Ctrl-C and SIGTERM abort its signal. Settles with its exit status. */
export async function main([name = "", ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const asked = ["", "help", "--help", "-h"].includes(name);
    (asked ? console.log : console.error)(asked ? usage() : `tugma: no command "${name}"\n${usage()}`);
    return name === "" || !asked ? 64 : 0;
  }
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.on("SIGINT", abort);
  process.on("SIGTERM", abort);
  // started by another process with a channel, as the demo starts its parts: when that one is gone, so are we
  process.channel?.unref();
  process.on("disconnect", abort);
  try {
    const run = await command.load();
    return await run(args, {
      print: (line) => console.log(line),
      printError: (line) => console.error(line),
      signal: stop.signal,
    });
  } finally {
    process.off("SIGINT", abort);
    process.off("SIGTERM", abort);
    process.off("disconnect", abort);
  }
}
