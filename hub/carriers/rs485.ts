/** The wire carrier: buttons and sensors on RS-485 buses, polled by the hub. The same LoRaWAN frames, session table and
 *  replay protection as on the radio; a downlink goes out with the next poll of its device. */
import type { Clock } from "../clock.ts";
import type { Carrier, Reception } from "./carrier.ts";
import type { BusConfig } from "./rs485-config.ts";
import type { OpenLine } from "./rs485-line.ts";
import { type BusRunner, openBus } from "./rs485-runner.ts";

export interface Rs485Options {
  readonly buses: readonly BusConfig[];
  readonly clock: Clock;
  readonly openLine: OpenLine;
  onReception(reception: Reception): void;
  /** A bus can be used, or cannot; `reason` for a person. Told once at the start and at each change. */
  onBus(bus: string, isUp: boolean, reason: string | null): void;
  /** A device on a bus that can be used answers, or does not. `gateway` = bus/address, as in its receptions. */
  onDevice(gateway: string, isUp: boolean, reason: string | null): void;
  /** Two devices answer on one address. Told once until it is quiet. */
  onConflict(gateway: string): void;
}

export interface Rs485Carrier extends Carrier {
  readonly name: "rs485";
  /** Since the start, by "bus.name". */
  readonly counters: Readonly<Record<string, number>>;
  view(): ReturnType<BusRunner["view"]>[];
}

/** Opens every bus. A line that cannot be opened is tried again for ever. */
export function openRs485(options: Rs485Options): Rs485Carrier {
  const { clock, openLine } = options;
  const buses = new Map(
    options.buses.map((config) => {
      const { name } = config;
      const gatewayOf = (address: number) => `${name}/${address}`;
      const runner = openBus(config, {
        clock,
        openLine,
        onUplink: (address, phyPayload) =>
          options.onReception(receptionOf(gatewayOf(address), phyPayload, clock)),
        onBus: (isUp, reason) => options.onBus(name, isUp, reason),
        onDevice: (address, isUp, reason) => options.onDevice(gatewayOf(address), isUp, reason),
        onConflict: (address) => options.onConflict(gatewayOf(address)),
      });
      return [name, runner] as const;
    }),
  );
  return {
    name: "rs485",
    leadMs: 0,
    async send({ gateway, phyPayload }) {
      const [name = "", address] = gateway.split("/");
      return buses.get(name)?.send(Number(address), phyPayload) ?? "noGateway";
    },
    get counters() {
      const all = [...buses].flatMap(([name, bus]) =>
        Object.entries(bus.counters).map(([counter, value]) => [`${name}.${counter}`, value] as const),
      );
      return Object.fromEntries(all);
    },
    view: () => [...buses.values()].map((bus) => bus.view()),
    async close() {
      await Promise.all([...buses.values()].map((bus) => bus.close()));
    },
  };
}

function receptionOf(gateway: string, phyPayload: Uint8Array, clock: Clock): Reception {
  const noRadio = { rssiDbm: null, snrDb: null, frequencyHz: null, dataRate: null, tmst: null };
  return { phyPayload, carrier: "rs485", gateway, ...noRadio, atMs: clock.monotonicMs() };
}
