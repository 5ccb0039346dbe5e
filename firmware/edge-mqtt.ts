/** The board's side of MQTT: Wi-Fi, and the TCP connection to the hub's broker. */
import { identity, now, storage } from "./board.ts";
import { keepSession, openCounts, SESSION_FILE } from "./link-store.ts";
import { DO, type Uplink, type UplinkEffect, type UplinkInput } from "./uplink.ts";

const counts = openCounts(storage);
let feed: (input: UplinkInput) => void;
/** Counts connections, so that what comes of a former one is told from what comes of this one. */
let attempt = 0;
let socket: Socket | undefined;
let timer: TimerId | undefined;

function tell(mine: number, isConnected: boolean): void {
  if (mine === attempt) feed({ nowMs: now(), isConnected: isConnected });
}

function openSocket(mine: number): void {
  const broker = identity.broker;
  if (broker === undefined || mine !== attempt) return;
  // biome-ignore lint/style/useNodejsImportProtocol: Espruino has a module of its own by this name
  const opened = require("net").connect({ host: broker.host, port: broker.port }, () => tell(mine, true));
  socket = opened;
  opened.on("data", (text) => {
    if (mine === attempt) feed({ nowMs: now(), text: text });
  });
  opened.on("close", () => tell(mine, false));
}

function connect(): void {
  const mine = ++attempt;
  const wifi = identity.wifi;
  if (wifi === undefined) return;
  require("Wifi").connect(wifi.ssid, { password: wifi.password }, (error) => {
    if (error === null) openSocket(mine);
    else tell(mine, false);
  });
}

function close(): void {
  const closed = socket;
  attempt++;
  socket = undefined;
  if (closed !== undefined) closed.end();
}

/** Begins; what happens on the carrier's side goes to `take`. */
export function openEdge(take: (input: UplinkInput) => void): void {
  feed = take;
  take({ nowMs: now(), count: counts.take(), kept: storage.read(SESSION_FILE) });
}

/** Obeys the effects of a step that are the carrier's own. Of a carrier that is idle the core asks nothing: what its
 *  connection has to do meanwhile is timed here. */
export function obeyEdge(uplink: Uplink, effects: readonly UplinkEffect[]): void {
  if (timer !== undefined) clearTimeout(timer);
  timer = setTimeout(() => feed({ nowMs: now() }), Math.max(1, Math.ceil(uplink.dueMs - now())));
  for (const effect of effects) {
    if (effect.do === DO.connect) connect();
    else if (effect.do === DO.close) close();
    else if (effect.do === DO.keep) {
      keepSession(storage, effect.text);
      feed({ nowMs: now(), count: counts.take() });
    } else if (effect.do === DO.write && socket !== undefined) socket.write(effect.text);
  }
}
