/** The wire buses of hub.yaml. */
import { type Static, Type } from "@sinclair/typebox";
import { MAX_ADDRESS, MIN_ADDRESS } from "../../protocols/device/frame.ts";

/** What a segment of RS-485 drives, with the hub as the 32nd unit load. */
export const MAX_BUS_DEVICES = 31;
const MAX_BUSES = 8;

/** A serial server: host and port. */
const TCP = /^tcp:\/\/(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})$/i;

/** Where a serial server listens; null for a path that is a port of this machine. */
export function serialServer(path: string): { host: string; port: number } | null {
  const [, host, port] = TCP.exec(path) ?? [];
  return host === undefined ? null : { host: host.replace(/[[\]]/g, ""), port: Number(port) };
}

const exact = { additionalProperties: false } as const;
const address = Type.Integer({ minimum: MIN_ADDRESS, maximum: MAX_ADDRESS });

export const BusConfigSchema = Type.Object(
  {
    name: Type.String({ pattern: "^[a-z0-9-]{1,24}$" }),
    path: Type.String({ minLength: 1, maxLength: 200 }),
    baud: Type.Integer({ minimum: 1200, maximum: 1_000_000, default: 38_400 }),
    addresses: Type.Array(address, { maxItems: MAX_BUS_DEVICES, uniqueItems: true, default: [] }),
    scan: Type.Optional(Type.Object({ from: address, to: address }, exact)),
  },
  exact,
);

export type BusConfig = Static<typeof BusConfigSchema>;

export const BusesSchema = Type.Array(BusConfigSchema, {
  description:
    "Wire buses (RS-485): a name, the adapter, and the devices' addresses (1 to 126, 31 on a bus at most).\n  - { name: stairs, path: /dev/serial/by-id/usb-FTDI_USB-RS485-if00-port0, addresses: [1, 2, 3] }\n  - { name: yard, path: tcp://192.168.1.7:4001, scan: { from: 1, to: 31 } }\n`addresses`: those that must be there; the absence of one is told. `scan`: asked too, and told as missing once heard.\nUse the adapter's name under /dev/serial/by-id: /dev/ttyUSB0 is another one after the next start. tcp: a serial server.",
  maxItems: MAX_BUSES,
  default: [],
});

/** What a schema cannot say: each mistake with the keys that lead to it. `others`: buses of other kinds, which must
 *  neither share an adapter nor, in what people read, a name. */
export function flawsOfBuses(
  buses: readonly BusConfig[],
  others: readonly { readonly name: string; readonly path?: string }[],
): { keys: string[]; message: string }[] {
  const flaws: { keys: string[]; message: string }[] = [];
  for (const [index, { name, path, scan, ...bus }] of buses.entries()) {
    const flaw = (key: string, message: string) =>
      flaws.push({ keys: ["buses", String(index), key], message });
    const earlier = [...others, ...buses.slice(0, index)];
    if (earlier.some((other) => other.name === name)) flaw("name", `another bus is called ${name} too`);
    if (earlier.some((other) => other.path === path)) flaw("path", `another bus is on ${path} too`);
    if (/^tcp:/i.test(path) && serialServer(path) === null) flaw("path", "write it as tcp://HOST:PORT");
    if (scan !== undefined && scan.from > scan.to)
      flaw("scan", `from ${scan.from} to ${scan.to} is no range`);
    const count = new Set([...bus.addresses, ...scannedBy(scan)]).size;
    if (count === 0) flaw("name", `${name} has no devices: give addresses, or a range to scan`);
    if (count > MAX_BUS_DEVICES) {
      flaw(
        scan === undefined ? "addresses" : "scan",
        `${count} addresses; a bus has ${MAX_BUS_DEVICES} at most`,
      );
    }
  }
  return flaws;
}

/** The addresses of a range, in order. */
export function scannedBy(scan: BusConfig["scan"]): number[] {
  if (scan === undefined) return [];
  return Array.from({ length: Math.max(0, scan.to - scan.from + 1) }, (_, i) => scan.from + i);
}
