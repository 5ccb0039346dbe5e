/** Every stored record to every centre, all paths at once. */
import { EVENT_KINDS } from "../../protocols/hub-kinds.ts";
import type { StoredRecord, StoredRow } from "../journal/journal.ts";
import { type Path, type PathOptions, type PathView, startPath } from "./path.ts";

/** What all paths share. */
export type RelayOptions = Omit<PathOptions, keyof RelayCentre | "recent"> & {
  readonly centres: readonly RelayCentre[];
};

/** What is each path's own. */
export type RelayCentre = Pick<PathOptions, "name" | "centreKey" | "fromSequence" | "link">;

export interface Relay {
  view(): PathView[];
  close(): Promise<void>;
}

/** Newest records kept in memory, so that paths without a backlog never read the journal. */
const RECENT = 512;

/** Starts all paths. Records stored from now on are sent; what waits in the journal is sent first, in pages. */
export function startRelay({ centres, ...shared }: RelayOptions): Relay {
  const recent = new Map<number, StoredRow>();
  const paths: Path[] = centres.map((centre) =>
    startPath({ ...shared, ...centre, recent: (sequence) => recent.get(sequence) }),
  );
  const stop = shared.journal.onStored((record) => {
    remember(recent, record);
    const urgent = isUrgent(record);
    for (const path of paths) path.stored(record, urgent);
  });
  return {
    view: () => paths.map((path) => path.view()),
    async close() {
      stop();
      await Promise.all(paths.map((path) => path.close()));
    },
  };
}

function remember(recent: Map<number, StoredRow>, { sequence, hash, bytes }: StoredRecord): void {
  recent.set(sequence, { sequence, hash, bytes });
  recent.delete(sequence - RECENT);
}

function isUrgent({ event }: StoredRecord): boolean {
  const { priority } = EVENT_KINDS[event.kind];
  return priority === "life" || priority === "intrusion";
}
