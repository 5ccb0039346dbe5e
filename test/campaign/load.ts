/** Alarms by the hundred a second and no air between: devices that joined long ago, gateways that are nothing but a
 *  socket, the real datagrams. A device says an event again until an answer in its receive windows acknowledges it, and
 *  only then has another. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import path from "node:path";
import type { World } from "../../hardware/demo/world.ts";
import { withDeviceTables } from "../../hub/journal/offline.ts";
import { decodeSemtech, encodeSemtech, type PullResp } from "../../protocols/semtech-udp.ts";
import { alarmKey } from "./books.ts";
import { createLoadDevice, eventDatagram, type LoadDevice } from "./load-device.ts";
import { createWitness, type Witness } from "./witness.ts";

/** So many that those which wait for a hub to come back leave enough others. */
const DEVICES = 1024;
/** One gateway can start about eleven answers a second, and fewer where they want to start at the same time. */
const GATEWAYS = 200;
/** Short, so that a hub that has just started can answer at once. */
const PULL_MS = 400;
const TICK_MS = 10;
/** An event without an acknowledgement is said again after this: both receive windows have passed. */
const AGAIN_MS = 2_200;
const RX_WINDOWS_US = [1_000_000, 2_000_000];
const TMST_WRAP = 2 ** 32;
/** Uplinks whose windows may still be open. */
const REMEMBERED = 10_000;

export interface Load {
  readonly witness: Witness;
  /** Keys of all events said, and of those that an answer has acknowledged; see `alarmKey`. */
  readonly said: ReadonlySet<string>;
  readonly acknowledged: ReadonlySet<string>;
  /** Raises up to `perSecond` events a second, `limit` in all, as far as there are devices with nothing open. */
  raise(perSecond: number, limit?: number): void;
  /** No new events. What is open is said on. */
  rest(): void;
  /** Events that wait for their acknowledgement. */
  readonly open: number;
  /** Acknowledgements that fall into no receive window of their device. */
  readonly strays: number;
}

/** Stops the hub to give it the devices with their sessions, and starts it again. `stack` ends the load. */
export async function startLoad(world: World, stack: AsyncDisposableStack, count = DEVICES): Promise<Load> {
  const devices = Array.from({ length: count }, (_, i) => createLoadDevice(i, gatewayEui(i % GATEWAYS)));
  await world.hub().stop();
  withDeviceTables(path.join(world.hubDir, "journal.sqlite"), (tables) => {
    for (const { row } of devices) tables.saveDevice(row);
  });
  await world.crashHub();
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const load = new Generator(devices, socket, world.udpPort);
  stack.defer(() => load.close());
  return load;
}

function gatewayEui(index: number): string {
  return `02000000000003${index.toString(16).padStart(2, "0")}`;
}

interface Uplink {
  readonly device: LoadDevice;
  readonly eventNumber: number;
}

class Generator implements Load {
  readonly witness: Witness;
  readonly said = new Set<string>();
  readonly acknowledged = new Set<string>();
  strays = 0;
  readonly #devices: readonly LoadDevice[];
  readonly #socket: Socket;
  readonly #hubPort: number;
  readonly #timers: NodeJS.Timeout[];
  /** By the moment of their end on the gateways' common clock. */
  readonly #uplinks = new Map<number, Uplink>();
  #lastUs = 0;
  #perSecond = 0;
  #left = 0;
  #credit = 0;
  #first = 0;

  constructor(devices: readonly LoadDevice[], socket: Socket, hubPort: number) {
    this.#devices = devices;
    this.#socket = socket;
    this.#hubPort = hubPort;
    this.witness = createWitness(
      devices.flatMap(({ row: { devEui, appKey, session } }) =>
        session === null ? [] : [{ devEui, appKey, session }],
      ),
    );
    socket.on("message", (bytes) => {
      const packet = decodeSemtech(bytes);
      if (packet.type === "pullResp") this.#downlink(packet);
    });
    this.#pull();
    this.#timers = [setInterval(() => this.#pull(), PULL_MS), setInterval(() => this.#tick(), TICK_MS)];
  }

  get open(): number {
    return this.#devices.filter(({ saidMs }) => saidMs !== null).length;
  }

  raise(perSecond: number, limit = Number.POSITIVE_INFINITY): void {
    this.#perSecond = perSecond;
    this.#left = limit;
  }

  rest(): void {
    this.#left = 0;
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#socket.close();
  }

  #send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#hubPort, "127.0.0.1");
  }

  #pull(): void {
    for (let i = 0; i < GATEWAYS; i++)
      this.#send(encodeSemtech({ type: "pullData", token: i, gateway: gatewayEui(i) }));
  }

  #tick(): void {
    const nowMs = performance.now();
    const perTick = (this.#perSecond * TICK_MS) / 1000;
    this.#credit = Math.min(this.#credit + perTick, 10 * perTick);
    // whoever stands at the front must not be the only one who speaks
    this.#first = (this.#first + 1) % this.#devices.length;
    for (let i = 0; i < this.#devices.length; i++) {
      const device = this.#devices[(this.#first * 7 + i) % this.#devices.length];
      if (device !== undefined) this.#advance(device, nowMs);
    }
  }

  #advance(device: LoadDevice, nowMs: number): void {
    if (device.saidMs !== null) {
      if (nowMs - device.saidMs >= AGAIN_MS) this.#say(device, nowMs);
    } else if (this.#credit >= 1 && this.#left > 0) {
      this.#credit--;
      this.#left--;
      device.eventNumber = (device.eventNumber + 1) & 0xffff;
      this.#say(device, nowMs);
    }
  }

  #say(device: LoadDevice, nowMs: number): void {
    const { eventNumber } = device;
    device.saidMs = nowMs;
    this.said.add(alarmKey(device.row.devEui, eventNumber));
    this.#lastUs = Math.max(this.#lastUs + 1, Math.round(nowMs * 1000));
    const tmst = this.#lastUs % TMST_WRAP;
    this.#uplinks.set(tmst, { device, eventNumber });
    const [oldest] = this.#uplinks.keys();
    if (this.#uplinks.size > REMEMBERED && oldest !== undefined) this.#uplinks.delete(oldest);
    this.#send(eventDatagram(device, tmst));
  }

  #downlink({ token, txpk: { tmst, phyPayload } }: PullResp): void {
    const uplink = this.#uplinkBefore(tmst ?? 0);
    const gateway = uplink?.device.gateway ?? gatewayEui(0);
    this.#send(encodeSemtech({ type: "txAck", token, gateway, error: null, warn: null }));
    const heard = this.witness.hear(phyPayload);
    if (heard?.type !== "answer" || !heard.ack) return;
    if (uplink?.device.row.devEui !== heard.devEui) {
      this.strays++;
      return;
    }
    const { device, eventNumber } = uplink;
    this.acknowledged.add(alarmKey(heard.devEui, eventNumber));
    if (device.eventNumber === eventNumber) device.saidMs = null;
  }

  /** The uplink in one of whose receive windows a downlink begins. */
  #uplinkBefore(tmst: number): Uplink | undefined {
    for (const window of RX_WINDOWS_US) {
      const uplink = this.#uplinks.get((tmst - window + TMST_WRAP) % TMST_WRAP);
      if (uplink !== undefined) return uplink;
    }
    return undefined;
  }
}
