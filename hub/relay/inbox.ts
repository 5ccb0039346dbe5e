/** What a centre sends: opened with its pinned key before anything in it is believed; all else is counted and logged. */

import { openCommand, type ResendCommand } from "../../protocols/command.ts";
import { isCodecError } from "../../protocols/device/codec-error.ts";
import { type HubChannel, splitSequence } from "../../protocols/mqtt-topics.ts";
import { DiskRefused } from "../journal/disk.ts";
import { type Confirmed, confirmReceipt, type ReceiptCheckOptions } from "./receipt-check.ts";

export interface InboxOptions extends ReceiptCheckOptions {
  /** Every receipt that names a record of this hub rightly, in the order of arrival. */
  onConfirmed(confirmed: Confirmed, receivedMs: number): void;
  onCommand(command: ResendCommand): void;
  /** One payload has been worked through. */
  onDone(): void;
  onRefused(event: "relay.refused" | "relay.mismatch", fields: Record<string, unknown>): void;
}

export interface Inbox {
  hear(channel: HubChannel, payload: Uint8Array, receivedMs: number): void;
  /** Settles when all that was heard is worked through. */
  idle(): Promise<void>;
}

export function createInbox(options: InboxOptions): Inbox {
  let queue: Promise<void> = Promise.resolve();

  async function hearReceipts(payload: Uint8Array, receivedMs: number): Promise<void> {
    for (const item of splitSequence(payload)) {
      // A copy of its own: a view would take the whole network buffer along into the journal's thread.
      const confirmed = await confirmReceipt(item.slice(), options);
      if (confirmed.mismatches.length > 0) {
        options.onRefused("relay.mismatch", { sequences: confirmed.mismatches.slice(0, 8) });
      }
      if (confirmed.sequences.length > 0) options.onConfirmed(confirmed, receivedMs);
    }
  }

  function hearCommand(payload: Uint8Array): void {
    const { key, realm, hub } = options;
    const { command } = openCommand(payload, realm, (kid) => (kid === key.kid ? key : undefined));
    if (command.hub === hub) options.onCommand(command);
  }

  async function work(channel: HubChannel, payload: Uint8Array, receivedMs: number): Promise<void> {
    try {
      if (channel === "receipt") await hearReceipts(payload, receivedMs);
      else if (channel === "command") hearCommand(payload);
    } catch (error) {
      // A disk that cannot be read now: the record stays unsettled and is sent again, and answered again.
      if (!isCodecError(error) && !(error instanceof DiskRefused)) throw error;
      options.onRefused("relay.refused", { channel, error: error.message });
    }
    options.onDone();
  }

  return {
    hear(channel, payload, receivedMs) {
      // One after the other: a receipt for an old record waits for the journal, and stages must not change places.
      queue = queue.then(() => work(channel, payload, receivedMs));
    },
    idle: () => queue,
  };
}
