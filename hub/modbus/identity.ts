/** What a polled point goes by where devices go by their DevEUI: in records, so that incidents, restores and states are
 *  about one point. Made from the names in hub.yaml, so it stays the same; a locally administered EUI-64 (IEEE 802,
 *  second bit of the first byte), so it is nobody's DevEUI. It proves nothing: records say "poller". */
import { createHash } from "node:crypto";

/** 16 hex digits. `names` lead to what is meant: bus; bus and unit; bus, unit and point. */
export function polledEui(hub: string, ...names: readonly (string | number)[]): string {
  const digest = createHash("sha256")
    .update(JSON.stringify(["tugma/modbus/v1", hub, ...names]))
    .digest();
  const bytes = Uint8Array.from(digest.subarray(0, 8));
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return Buffer.from(bytes).toString("hex");
}
