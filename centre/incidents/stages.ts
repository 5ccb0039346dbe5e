/** Stage receipts: how far an operator has come with an alarm, signed for each of its records and kept until the hub has them. */
import { STAGES, type Stage } from "../../protocols/device/stage.ts";
import { joinSequence } from "../../protocols/mqtt-topics.ts";
import { sealReceipt } from "../../protocols/receipt.ts";
import type { SigningKey } from "../../protocols/signature.ts";
import type { Clock } from "../clock.ts";
import type { Ledger, StageReceipt } from "../ledger/ledger.ts";
import type { Incident, RecordRef } from "./incident.ts";

export interface StageOptions {
  readonly ledger: Pick<Ledger, "putReceipts" | "undelivered" | "delivered">;
  readonly clock: Clock;
  readonly signer: { readonly realm: string; readonly receiver: string; readonly key: SigningKey };
  /** Sends to the hub when it is connected; `onAck` when the hub has acknowledged. False: it is not connected. */
  send(hub: string, payload: Uint8Array, onAck: () => void): boolean;
  onError(error: Error): void;
}

export interface Stages {
  /** Settles when the receipts are durable; they are on their way by then when the hub is connected. */
  announce(incident: Incident, stage: Stage, records: readonly RecordRef[]): Promise<void>;
  /** The hub has come back: what it has not acknowledged goes out again, the highest stage of each record. */
  resume(hub: string): Promise<void>;
}

/** Receipts in one message. */
const PER_MESSAGE = 64;

export function createStages({ ledger, clock, signer, send, onError }: StageOptions): Stages {
  function seal(incident: Incident, stage: Stage, ref: RecordRef): StageReceipt {
    const receipt = {
      version: 1,
      hub: ref.hub,
      sequence: ref.sequence,
      recordHash: ref.hash,
      result: "stored",
      receiver: signer.receiver,
      centreMs: clock.wallMs(),
      ledgerIndex: ref.index,
      stage,
      incident: incident.id,
      // says nothing about other records
      complete: 0,
      more: [],
    } as const;
    const bytes = sealReceipt(receipt, signer.realm, signer.key);
    return { hub: ref.hub, sequence: ref.sequence, rank: STAGES.indexOf(stage), bytes };
  }

  function publish(hub: string, receipts: readonly StageReceipt[]): void {
    for (let at = 0; at < receipts.length; at += PER_MESSAGE) {
      const part = receipts.slice(at, at + PER_MESSAGE);
      const places = part.map(({ sequence, rank }) => ({ hub, sequence, rank }));
      const payload = joinSequence(part.map(({ bytes }) => bytes));
      const sent = send(hub, payload, () => void ledger.delivered(places, clock.wallMs()).catch(onError));
      if (!sent) return;
    }
  }

  return {
    async announce(incident, stage, records) {
      const receipts = records.map((ref) => seal(incident, stage, ref));
      if (receipts.length === 0) return;
      await ledger.putReceipts(receipts);
      publish(incident.hub, receipts);
    },
    async resume(hub) {
      publish(hub, await ledger.undelivered(hub));
    },
  };
}
