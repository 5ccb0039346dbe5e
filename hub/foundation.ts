/** What every part of the hub stands on: who it is, its clock, its journal. */
import path from "node:path";
import type { Datagrams } from "./carriers/datagram.ts";
import type { OpenLine } from "./carriers/rs485-line.ts";
import type { Clock } from "./clock.ts";
import { configHash, type HubConfig } from "./config.ts";
import { createDiskWatch, type DiskWatch } from "./disk-watch.ts";
import { type HubIdentity, loadIdentity } from "./enrolments.ts";
import { openJournal, openJournalInThread } from "./journal/host.ts";
import type { EventDraft, Journal } from "./journal/journal.ts";
import type { ModbusLines } from "./modbus/line.ts";
import { createHubTime, type HubTime, type WallSource } from "./time.ts";

/** The part of pino that the hub uses. Event names are fixed; fields never hold keys. */
export type HubLog = Record<"debug" | "info" | "warn" | "error", (fields: object, event: string) => void>;

export interface HubOptions {
  /** Holds keys, enrolment, journal and the status socket. */
  readonly dir: string;
  readonly config: HubConfig;
  readonly clock: Clock;
  readonly log: HubLog;
  /** Default: read from `dir`. */
  readonly identity?: HubIdentity;
  /** Default: the machine's UDP. */
  readonly datagrams?: Datagrams;
  /** Default: the machine's serial ports and TCP. */
  readonly modbusLines?: ModbusLines;
  /** Default: the machine's serial ports, and serial servers over TCP. */
  readonly lines?: OpenLine;
  /** Cryptographically strong. Default: the machine's. */
  readonly random?: (bytes: number) => Uint8Array;
  readonly wallSource?: () => WallSource;
  /** True for virtual time: the journal works in this thread, and there are no broker and no status socket. */
  readonly simulated?: boolean;
  /** The journal's thread died of a bug: the process should end and be started again. Default: it ends the process. */
  onFatal?(error: Error): void;
}

export interface Foundation {
  readonly identity: HubIdentity;
  readonly config: HubConfig;
  readonly clock: Clock;
  readonly log: HubLog;
  readonly time: HubTime;
  readonly journal: Journal;
  readonly disk: DiskWatch;
  /** Records something nobody waits for. */
  tell(draft: EventDraft): void;
  /** For refusals that nobody waits for; what the disk did not cause is a bug and goes on as one. */
  trouble(error: unknown): void;
}

/** Opens the journal; `stack` closes it. Rejects when files are missing or wrong. */
export async function layFoundation(options: HubOptions, stack: AsyncDisposableStack): Promise<Foundation> {
  const { dir, config, clock, log, wallSource, simulated = false, onFatal = endProcess } = options;
  const identity = options.identity ?? loadIdentity(dir);
  const time = createHubTime({ clock, ...(wallSource && { wallSource }) });
  const journal = await (simulated ? openJournalInThread : openJournal)({
    path: path.join(dir, "journal.sqlite"),
    genesis: identity.genesis,
    hub: identity.hub,
    realm: identity.realm,
    configHash: configHash(config),
    privateKeyPem: identity.signingKeyPem,
    stamp: () => time.stamp(),
    onFatal,
  });
  stack.use(journal);
  const newest = await journal.record(journal.head.sequence);
  if (newest !== undefined && journal.damage.length === 0) time.notBefore(newest.event.time.unixMs);
  const disk = createDiskWatch(journal, clock, (event, fields) => log.error(fields, event));
  const trouble = (error: unknown) => {
    if (!disk.refused(error)) throw error;
  };
  const tell = (draft: EventDraft) => void journal.append(draft).catch(trouble);
  return { identity, config, clock, log, time, journal, disk, tell, trouble };
}

function endProcess(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}
