/** Every MQTT topic of the two brokers, built and read in one place. Ids are checked both ways, so that no wildcard and no
 *  further level can be smuggled in by a name.
 *    centre's broker:  hub/<hub id>/record · receipt · poll · command         payloads: COSE_Sign1, RFC 8742 sequences
 *    hub's broker:     tugma/hub/state · tugma/event · tugma/device/<DevEUI>/state · availability · up · down
 *                      tugma/request/<name> · tugma/response/<name>                                              */
import { sign1Length } from "./cose.ts";
import { codecError } from "./device/codec-error.ts";

export const HUB_CHANNELS = ["record", "receipt", "poll", "command"] as const;
export type HubChannel = (typeof HUB_CHANNELS)[number];

export const DEVICE_CHANNELS = ["state", "availability", "up", "down"] as const;
export type DeviceChannel = (typeof DEVICE_CHANNELS)[number];

/** On the centre's broker. */
export interface CentreTopic {
  readonly type: HubChannel;
  /** Hub id, 16 hex digits. */
  readonly hub: string;
}

/** On the hub's broker. */
export type HubTopic =
  | { readonly type: "hubState" }
  | { readonly type: "event" }
  | { readonly type: "device"; readonly channel: DeviceChannel; readonly device: string }
  | { readonly type: "request"; readonly name: string }
  | { readonly type: "response"; readonly name: string };

export const HUB_STATE_TOPIC = "tugma/hub/state";
export const EVENT_TOPIC = "tugma/event";

const EUI = /^[0-9a-f]{16}$/;
const NAME = /^[a-z][a-z0-9_]{0,31}$/;

/** `hub/<id>/<channel>`. Throws a CodecError "topic" for an id that is not 16 lowercase hex digits. */
export function centreTopic(type: HubChannel, hub: string): string {
  return `hub/${checked(EUI, hub, "hub id")}/${type}`;
}

/** `tugma/device/<DevEUI>/<channel>`. Throws a CodecError "topic" for an EUI that is not 16 lowercase hex digits. */
export function deviceTopic(channel: DeviceChannel, device: string): string {
  return `tugma/device/${checked(EUI, device, "DevEUI")}/${channel}`;
}

/** `tugma/request/<name>`. Throws a CodecError "topic" for a name that is not letters, digits and `_`. */
export function requestTopic(name: string): string {
  return `tugma/request/${checked(NAME, name, "request")}`;
}

/** `tugma/response/<name>`: where the answer to a request comes, with its `transaction`. */
export function responseTopic(name: string): string {
  return `tugma/response/${checked(NAME, name, "request")}`;
}

/** Null for any topic that this software does not use. */
export function parseCentreTopic(topic: string): CentreTopic | null {
  const [root, hub = "", channel, ...rest] = topic.split("/", 4);
  const type = HUB_CHANNELS.find((word) => word === channel);
  return root === "hub" && EUI.test(hub) && type !== undefined && rest.length === 0 ? { type, hub } : null;
}

/** Null for any topic that this software does not use. */
export function parseHubTopic(topic: string): HubTopic | null {
  if (topic === HUB_STATE_TOPIC) return { type: "hubState" };
  if (topic === EVENT_TOPIC) return { type: "event" };
  const [root, branch, id = "", leaf, ...rest] = topic.split("/", 5);
  if (root !== "tugma" || rest.length > 0) return null;
  if (branch === "device") {
    const channel = DEVICE_CHANNELS.find((word) => word === leaf);
    return EUI.test(id) && channel !== undefined ? { type: "device", channel, device: id } : null;
  }
  if ((branch === "request" || branch === "response") && NAME.test(id) && leaf === undefined) {
    return { type: branch, name: id };
  }
  return null;
}

export const MAX_SEQUENCE_ITEMS = 256;
export const MAX_SEQUENCE_LENGTH = 1024 * 1024;

/** Cuts a CBOR sequence (RFC 8742) of COSE_Sign1 into its items, unopened. Throws a CodecError: cose, size. */
export function splitSequence(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length === 0) throw codecError("cose", "sequence: empty");
  if (bytes.length > MAX_SEQUENCE_LENGTH) throw tooLong(`${bytes.length} bytes`);
  const items: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (items.length === MAX_SEQUENCE_ITEMS) throw tooLong(`more than ${MAX_SEQUENCE_ITEMS} items`);
    const length = sign1Length(bytes, at);
    items.push(bytes.subarray(at, at + length));
    at += length;
  }
  return items;
}

/** One payload of whole COSE_Sign1 items. Throws a CodecError "size" beyond what `splitSequence` takes. */
export function joinSequence(items: readonly Uint8Array[]): Uint8Array {
  const length = items.reduce((sum, item) => sum + item.length, 0);
  if (items.length > MAX_SEQUENCE_ITEMS || length > MAX_SEQUENCE_LENGTH) {
    throw tooLong(`${items.length} items, ${length} bytes`);
  }
  return new Uint8Array(Buffer.concat(items, length));
}

function tooLong(what: string) {
  return codecError(
    "size",
    `sequence: ${what}, expected at most ${MAX_SEQUENCE_ITEMS} items and ${MAX_SEQUENCE_LENGTH} bytes`,
  );
}

function checked(pattern: RegExp, id: string, what: string): string {
  if (!pattern.test(id)) throw codecError("topic", `topic: ${JSON.stringify(id)} is not a ${what}`);
  return id;
}
