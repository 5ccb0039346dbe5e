/** The lines between gateways and hub: an in-memory network on which each gateway can be given its own delay, and on
 *  which everything that passed can be looked at and said again. */
import type { Clock } from "../../hardware/virtual/clock.ts";
import { createDatagramNetwork, type Datagrams, type Endpoint } from "../../hardware/virtual/datagram.ts";
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { decodeSemtech, type SemtechPacket } from "../../protocols/semtech-udp.ts";

export interface Passed {
  readonly atMs: number;
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Null: not the gateways' protocol. */
  readonly packet: SemtechPacket | null;
}

export interface Lines {
  /** For the hub and for strangers. */
  readonly network: ReturnType<typeof createDatagramNetwork>;
  /** For gateways: what one sends takes its own time. */
  readonly gatewaySide: Datagrams;
  /** Extra milliseconds from this gateway to the hub, by EUI. */
  readonly delayMs: Map<string, number>;
  /** Every datagram, when it was sent onto its last stretch of 0.2 ms. */
  readonly passed: readonly Passed[];
}

export function createLines(clock: Clock): Lines {
  const network = createDatagramNetwork(clock);
  const delayMs = new Map<string, number>();
  const passed: Passed[] = [];
  network.onDatagram((bytes, from, to) => {
    passed.push({ atMs: clock.monotonicMs(), bytes, from, to, packet: read(bytes) });
  });
  const bind = (port: number, address?: string) => {
    const socket = network.bind(port, address);
    return {
      ...socket,
      send(bytes: Uint8Array, toPort: number, toAddress: string) {
        const ms = delayMs.get(Buffer.from(bytes.subarray(4, 12)).toString("hex")) ?? 0;
        if (ms === 0) return socket.send(bytes, toPort, toAddress);
        const copy = bytes.slice();
        clock.setTimer(() => socket.send(copy, toPort, toAddress), ms);
      },
    };
  };
  return { network, gatewaySide: { bind }, delayMs, passed };
}

function read(bytes: Uint8Array): SemtechPacket | null {
  try {
    return decodeSemtech(bytes);
  } catch (error) {
    if (isCodecError(error)) return null;
    throw error;
  }
}
