/** LoRaTap version 0 in a pcap file (link type 270): LoRa frames with their radio data, as Wireshark reads them.
 *    record  version ‖ 0 ‖ length(2) ‖ frequency(4) ‖ bandwidth ‖ SF ‖ RSSI of the packet, maximum, now ‖ SNR ‖
 *            sync word ‖ PHYPayload
 *  Big-endian; the pcap around it little-endian. */

export interface LoraTapFrame {
  /** When it was on air, milliseconds since 1970. */
  readonly unixMs: number;
  readonly frequencyHz: number;
  readonly bandwidthHz: number;
  readonly sf: number;
  readonly rssiDbm: number;
  readonly snrDb: number;
  readonly phyPayload: Uint8Array;
}

const PCAP_HEADER = 24;
const PCAP_RECORD = 16;
const PCAP_MAGIC_MICROSECONDS = 0xa1b2c3d4;
const SNAPSHOT_LENGTH = 65_535;
const LINKTYPE_LORATAP = 270;
const TAP_LENGTH = 15;
const BANDWIDTH_STEP_HZ = 125_000;
/** RSSI byte 0. */
const RSSI_FLOOR_DBM = -139;
const SNR_STEPS_PER_DB = 4;
const LORAWAN_SYNC_WORD = 0x34;

/** A whole pcap file. */
export function encodeLoraTapPcap(frames: readonly LoraTapFrame[]): Uint8Array {
  const each = PCAP_RECORD + TAP_LENGTH;
  const bytes = new Uint8Array(
    frames.reduce((sum, frame) => sum + each + frame.phyPayload.length, PCAP_HEADER),
  );
  const view = new DataView(bytes.buffer);
  view.setUint32(0, PCAP_MAGIC_MICROSECONDS, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAPSHOT_LENGTH, true);
  view.setUint32(20, LINKTYPE_LORATAP, true);
  let at = PCAP_HEADER;
  for (const frame of frames) {
    const length = TAP_LENGTH + frame.phyPayload.length;
    view.setUint32(at, Math.floor(frame.unixMs / 1000), true);
    view.setUint32(at + 4, Math.floor((frame.unixMs % 1000) * 1000), true);
    view.setUint32(at + 8, length, true);
    view.setUint32(at + 12, length, true);
    writeTap(view, at + PCAP_RECORD, frame);
    bytes.set(frame.phyPayload, at + each);
    at += PCAP_RECORD + length;
  }
  return bytes;
}

function writeTap(view: DataView, at: number, frame: LoraTapFrame): void {
  const rssi = Math.max(0, Math.min(255, Math.round(frame.rssiDbm - RSSI_FLOOR_DBM)));
  view.setUint16(at + 2, TAP_LENGTH);
  view.setUint32(at + 4, frame.frequencyHz);
  view.setUint8(at + 8, frame.bandwidthHz / BANDWIDTH_STEP_HZ);
  view.setUint8(at + 9, frame.sf);
  for (const place of [10, 11, 12]) view.setUint8(at + place, rssi);
  view.setInt8(at + 13, Math.round(frame.snrDb * SNR_STEPS_PER_DB));
  view.setUint8(at + 14, LORAWAN_SYNC_WORD);
}
