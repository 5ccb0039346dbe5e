/** What must be true of both sides when everything has come to rest, whatever was killed before. */
import path from "node:path";
import { expect } from "vitest";
import type { Incident } from "../../centre/incidents/incident.ts";
import type { World } from "../../hardware/demo/world.ts";
import { alarmsOf, type Journal, type Ledger, readJournal, readLedger, readTrust } from "./books.ts";
import { until } from "./campaign.ts";

export interface Books {
  readonly journal: Journal;
  readonly ledger: Ledger;
}

/** Both processes must have ended. */
export function openBooks({ hubDir, centreDir }: Pick<World, "hubDir" | "centreDir">): Books {
  const trust = readTrust(hubDir);
  return {
    journal: readJournal(path.join(hubDir, "journal.sqlite"), trust),
    ledger: readLedger(path.join(centreDir, "ledger.sqlite"), trust),
  };
}

/** One chain from its genesis on, the same on both sides, every record of it at the centre once, and nothing else there. */
export function expectOneHistory({ journal, ledger }: Books): void {
  expect(journal.flaws, "the hub's chain").toEqual([]);
  expect(ledger.flaws, "the centre's copy of it").toEqual([]);
  expect(ledger.equivocations, "records that contradicted another").toBe(0);
  expect(ledger.quarantined, "what the centre could not take for a record").toBe(0);
  const head = journal.entries.length;
  expect(ledger.entries.map(({ hash }) => hash)).toEqual(journal.entries.map(({ hash }) => hash));
  expect(ledger.extent).toEqual({ complete: head, contiguous: head, head });
  expect(journal.complete, "settled at the hub").toBe(head);
}

/** What `ask` says once it counts every alarm of a ledger to which nothing more will come: a receipt leaves before the
 *  console is told. */
export async function settledIncidents(
  { hubDir, centreDir }: Pick<World, "hubDir" | "centreDir">,
  ask: () => Promise<readonly Incident[]>,
  limitMs: number,
): Promise<readonly Incident[]> {
  const { entries } = readLedger(path.join(centreDir, "ledger.sqlite"), readTrust(hubDir));
  const alarms = [...alarmsOf(entries).values()].flat().length;
  let incidents: readonly Incident[] = [];
  const isTold = async () => {
    incidents = await ask();
    return recordsBehind(incidents) >= alarms;
  };
  await until(isTold, limitMs, `${alarms} alarms in the console's incidents`, () => recordsBehind(incidents));
  return incidents;
}

function recordsBehind(incidents: readonly Incident[]): number {
  return incidents.filter(({ kind }) => kind === "panic").reduce((sum, { repeats }) => sum + repeats + 1, 0);
}

/** Each of these alarms has one record in each of the books. `keys`: as `alarmKey`. */
export function expectEachOnce({ journal, ledger }: Books, keys: Iterable<string>): void {
  for (const { entries } of [journal, ledger]) {
    const alarms = alarmsOf(entries);
    const wrong = [...keys].filter((key) => alarms.get(key)?.length !== 1);
    expect(wrong, "alarms that are not there exactly once").toEqual([]);
    const twice = [...alarms].filter(([, found]) => found.length > 1).map(([key]) => key);
    expect(twice, "alarms that are there more than once").toEqual([]);
  }
}

/** Every alarm of the ledger is in one incident, and the incidents count no more than there are. */
export function expectOneIncidentEach({ ledger }: Books, incidents: readonly Incident[]): void {
  const panics = incidents.filter(({ kind }) => kind === "panic");
  const alarms = [...alarmsOf(ledger.entries).values()].flat();
  expect(recordsBehind(incidents), "records behind the incidents").toBe(alarms.length);
  const wrong = alarms.filter(({ event: { device, eventNumber } }) => {
    const number = eventNumber ?? -1;
    const naming = panics.filter(
      (i) => i.device === device && i.eventNumbers.some(([from, to]) => number >= from && number <= to),
    );
    return naming.length !== 1;
  });
  expect(
    wrong.map(({ sequence }) => sequence),
    "alarms that are not in exactly one incident",
  ).toEqual([]);
}

const LOST = /^events? (\d+)(?: to (\d+))? never heard$/;

/** Each of these events, of which the hub has heard nothing, is named by a record that says so. */
export function expectLossReported(
  { ledger }: Books,
  unheard: readonly { readonly devEui: string; readonly number: number }[],
): void {
  const reports = ledger.entries.flatMap(({ event: { kind, device, note } }) => {
    const [, from, to = from] = LOST.exec(note ?? "") ?? [];
    return kind === "lostPress" && from !== undefined ? [{ device, from: Number(from), to: Number(to) }] : [];
  });
  const silent = unheard.filter(({ devEui, number }) =>
    reports.every(
      ({ device, from, to }) => device !== devEui || ((number - from) & 0xffff) > ((to - from) & 0xffff),
    ),
  );
  expect(silent, "presses that were lost in silence").toEqual([]);
}
