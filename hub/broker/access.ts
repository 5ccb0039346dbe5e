/** Who may say and hear what on the hub's own broker (design: topics of MQTT). Pure. No topic here can silence an alarm. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { BrokerUser } from "./messages.ts";

const DEVICE_TOPIC = /^tugma\/device\/([0-9a-f]{16})\/(up|down)$/;
const REQUEST_TOPIC = /^tugma\/request\/([a-z]{1,32})$/;

/** LoRaWAN's largest PHYPayload: MHDR, 22 bytes of FHDR with all FOpts, FPort, 242 bytes, MIC, rounded up. */
const MAX_PHY_PAYLOAD = 256;
const MAX_REQUEST = 4096;

export type PublishVerdict =
  | { readonly verdict: "uplink"; readonly devEui: string }
  | { readonly verdict: "request"; readonly name: string }
  | { readonly verdict: "refused"; readonly why: string };

/** The user behind a name and secret, or undefined. Constant time in the secret. */
export function authenticate(
  users: ReadonlyMap<string, BrokerUser>,
  name: string | undefined,
  secret: Uint8Array | undefined,
): BrokerUser | undefined {
  const user = name === undefined ? undefined : users.get(name);
  const offered = createHash("sha256")
    .update(secret ?? new Uint8Array())
    .digest();
  const kept = Buffer.from(user?.secretHash ?? "00".repeat(32), "hex");
  return timingSafeEqual(offered, kept) ? user : undefined;
}

/** A board publishes its own PHYPayload at QoS 1, so that PUBACK can mean stored; an observer only asks questions. */
export function judgePublish(user: BrokerUser, topic: string, qos: number, length: number): PublishVerdict {
  const device = DEVICE_TOPIC.exec(topic);
  if (user.role === "device") {
    if (device?.[1] !== user.name || device[2] !== "up") return { verdict: "refused", why: "topic" };
    if (qos !== 1) return { verdict: "refused", why: "qos" };
    if (length === 0 || length > MAX_PHY_PAYLOAD) return { verdict: "refused", why: "length" };
    return { verdict: "uplink", devEui: user.name };
  }
  const request = REQUEST_TOPIC.exec(topic);
  if (request?.[1] === undefined) return { verdict: "refused", why: "topic" };
  if (length > MAX_REQUEST) return { verdict: "refused", why: "length" };
  return { verdict: "request", name: request[1] };
}

/** A board hears its own downlinks; an observer hears everything under `tugma/` but boards' frames. */
export function maySubscribe(user: BrokerUser, filter: string): boolean {
  return user.role === "device" ? filter === `tugma/device/${user.name}/down` : filter.startsWith("tugma/");
}

/** Keeps frames from observers whose wildcard covers them. */
export function mayHear(user: BrokerUser, topic: string): boolean {
  return user.role === "device" ? maySubscribe(user, topic) : !DEVICE_TOPIC.test(topic);
}
