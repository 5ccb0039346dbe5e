/** What a RAK3172 says, as RUI3 4.x prints it (RAK's service_lora.c and AT command manual). */
import type { DeviceEvent, ReceivedDownlink, Started } from "./device-types.ts";

export type Status =
  | "OK"
  | "AT_ERROR"
  | "AT_PARAM_ERROR"
  | "AT_BUSY_ERROR"
  | "AT_NO_NETWORK_JOINED"
  | "AT_COMMAND_NOT_FOUND";

export const FIRMWARE = "RUI_4.2.1_RAK3172-E";
export const BANNER = `RAKwireless RAK3172-E\r\n${"-".repeat(54)}\r\nVersion: ${FIRMWARE}\r\nCurrent Work Mode: LoRaWAN.\r\n`;

/** LORAMAC_EVENT_INFO_STATUS of an uplink that was not acknowledged; older firmware leaves it out. */
const NOT_ACKNOWLEDGED = 4;

/** An SX126x reports no better SNR, however strong the signal. */
const MAX_SNR_DB = 13;

/** The status line's word for what became of a join or an uplink. */
export function statusOf(started: Started): Status {
  if (started.type === "started") return "OK";
  if (started.type === "wait") return "AT_BUSY_ERROR";
  const words = {
    busy: "AT_BUSY_ERROR",
    notJoined: "AT_NO_NETWORK_JOINED",
    length: "AT_PARAM_ERROR",
    dataRate: "AT_ERROR",
  } as const;
  return words[started.reason];
}

/** The duty cycle's own line, printed before AT_BUSY_ERROR. */
export function restrictedLine(waitMs: number): string {
  return `Restricted_Wait_${Math.ceil(waitMs)}_ms\r\n`;
}

/** The event's line, null for what the module keeps to itself: an empty downlink shows only as a confirmation. */
export function eventLine(event: DeviceEvent): string | null {
  switch (event.type) {
    case "joined":
      return "+EVT:JOINED\r\n";
    case "joinFailed":
      return "+EVT:JOIN_FAILED_RX_TIMEOUT\r\n";
    case "sent":
      if (!event.confirmed) return "+EVT:TX_DONE\r\n";
      return event.acknowledged
        ? "+EVT:SEND_CONFIRMED_OK\r\n"
        : `+EVT:SEND_CONFIRMED_FAILED(${NOT_ACKNOWLEDGED})\r\n`;
    case "downlink":
      return receivedLine(event);
    case "answer":
      return null;
  }
}

function receivedLine({ payload, fPort, slot, rssiDbm, snrDb }: ReceivedDownlink): string | null {
  if (payload.length === 0 || fPort === null) return null;
  const data = Buffer.from(payload).toString("hex");
  return `+EVT:RX_${slot}:${Math.round(rssiDbm)}:${Math.round(Math.min(snrDb, MAX_SNR_DB))}:UNICAST:${fPort}:${data}\r\n`;
}

/** The module answers a confirmed downlink, and in class A asks for more when told so, by an empty uplink of its own. */
export function wantsUplink(downlink: ReceivedDownlink, deviceClass: "A" | "C"): boolean {
  return downlink.confirmed || (downlink.fPending && deviceClass === "A");
}
