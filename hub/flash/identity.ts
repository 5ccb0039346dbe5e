/** Who a board is to be: the identity that it has already, where it is ours, or a new one with a key made on the spot. */
import { randomBytes } from "node:crypto";
import type { DeviceView } from "../device-registry.ts";
import type { FlashOrder } from "./order.ts";

export interface Keys {
  readonly devEui: string;
  readonly joinEui: string;
  readonly appKey: string;
}

export interface IdentityPlan extends Keys {
  /** The board's file `identity`. */
  readonly file: string;
  /** It is another device from now on: what it remembers of an old one must go. */
  readonly isNew: boolean;
  /** The hub has it already. */
  readonly isKnown: boolean;
}

export interface KnownDevices {
  readonly devices: readonly DeviceView[];
  /** Whether this identity was made here and is still to be registered. */
  isPending(devEui: string, appKey: string): boolean;
}

/** Marks a first byte as locally administered, and not as a group's. */
const LOCAL_BIT = 0x02;
const GROUP_BIT = 0x01;
const SHORT_CODE_LENGTH = 6;

/** What a person reads on a label and in a list: the last six digits of the DevEUI. */
export function shortCode(devEui: string): string {
  return devEui.slice(-SHORT_CODE_LENGTH).toUpperCase();
}

/** Decides from the board's own file `identity` (null: none). Throws an Error when the board is another device of this hub. */
export function planIdentity(order: FlashOrder, found: string | null, known: KnownDevices): IdentityPlan {
  const has = keysIn(found);
  const device = known.devices.find(({ devEui }) => devEui === has?.devEui);
  if (device !== undefined && !isSame(device, order)) {
    throw new Error(
      `this board is "${device.name}" at ${device.place.site}, ${device.place.zone}, class ${device.deviceClass}, ` +
        `heard every ${device.intervalS} s. To make another device of it, first: tugma device remove ${device.devEui}`,
    );
  }
  const isOurs = has !== null && (device !== undefined || known.isPending(has.devEui, has.appKey));
  const keys = isOurs ? has : newKeys(order, known.devices);
  return {
    ...keys,
    file: identityFile(order, keys),
    isNew: !isOurs,
    isKnown: device !== undefined,
  };
}

/** Fields in the order in which they are written; ASCII, since the board's strings are bytes. */
function identityFile(order: FlashOrder, { devEui, joinEui, appKey }: Keys): string {
  const identity = {
    profile: order.pins,
    devEui,
    joinEui,
    appKey,
    role: order.role,
    region: order.region,
    heartbeatS: order.heartbeat_s,
    ...(order.wire_address !== undefined && { wireAddress: order.wire_address }),
  };
  return JSON.stringify(identity).replaceAll(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The row for the hub's list. */
export function deviceInput(order: FlashOrder, { devEui, joinEui, appKey }: Keys): object {
  return {
    ...{ devEui, joinEui, appKey, name: order.name },
    place: { site: order.site, zone: order.zone },
    deviceClass: classOf(order),
    intervalS: order.heartbeat_s,
  };
}

/** The hub's list says what this order says. */
function isSame({ name, place, deviceClass, intervalS }: DeviceView, order: FlashOrder): boolean {
  const isPlace = name === order.name && place.site === order.site && place.zone === order.zone;
  return isPlace && deviceClass === classOf(order) && intervalS === order.heartbeat_s;
}

/** On a bus every poll can bring a downlink. */
function classOf({ uplink }: FlashOrder): "A" | "C" {
  return uplink === "wire" ? "C" : "A";
}

function keysIn(file: string | null): Keys | null {
  try {
    const { devEui, joinEui, appKey } = (JSON.parse(file ?? "null") ?? {}) as Partial<Keys>;
    const areKeys =
      /^[0-9a-f]{16}$/.test(devEui ?? "") &&
      /^[0-9a-f]{16}$/.test(joinEui ?? "") &&
      /^[0-9a-f]{32}$/.test(appKey ?? "");
    return areKeys ? ({ devEui, joinEui, appKey } as Keys) : null;
  } catch {
    return null; // what a cut write left there is no identity
  }
}

/** Short codes stay different on one hub. */
function newKeys(order: FlashOrder, devices: readonly DeviceView[]): Keys {
  for (;;) {
    const eui = randomBytes(8);
    eui.writeUInt8(((eui[0] ?? 0) | LOCAL_BIT) & ~GROUP_BIT);
    const devEui = eui.toString("hex");
    if (devices.some((device) => shortCode(device.devEui) === shortCode(devEui))) continue;
    return { devEui, joinEui: order.join_eui, appKey: randomBytes(16).toString("hex") };
  }
}
