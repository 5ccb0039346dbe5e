/** The Journal over any host of the store: turns calls into operations, keeps the head and the paths' progress, tells
 *  listeners, and holds back counters that may wait. */
import { type EventRecord, openEvent } from "../../protocols/event.ts";
import { createSigningKey, createVerifyingKey } from "../../protocols/signature.ts";
import type { DeviceRow, SessionCounters } from "../lorawan/store.ts";
import { placeEvent, type StampedDraft } from "./chain.ts";
import type { CounterChange } from "./devices.ts";
import type {
  AppendOptions,
  DeviceMemory,
  EventDraft,
  EventName,
  Head,
  Journal,
  PointMemory,
  ReceiptBatch,
  RememberedEvent,
  SettingRow,
  StoredReceipt,
  StoredRecord,
  StoredRow,
} from "./journal.ts";
import type { PathProgress } from "./receipts.ts";
import { createSharing } from "./shared-rows.ts";
import type { HubStore, Operation, StoreOptions, WriteOperation } from "./store.ts";

/** Settles with the operation's value once its transaction is on stable storage. Order of calls = order of effects. */
export type Submit = (operation: Operation) => Promise<unknown>;

/** What the store found at opening. */
export type Opened = Pick<HubStore, "head" | "damage" | "progress">;

export interface ClientOptions extends StoreOptions {
  stamp(): StampedDraft["stamp"];
  readonly submit: Submit;
  readonly opened: Opened;
  /** 0: lazily stored counters are stored at once. */
  readonly lazyMs: number;
  close(): Promise<void>;
}

export function createJournal(options: ClientOptions): Journal {
  const listeners = new Set<(record: StoredRecord) => void>();
  const receiptListeners = new Set<(batch: ReceiptBatch) => void>();
  const progress = new Map<string, PathProgress>(structuredClone(options.opened.progress));
  const lazy = createLazyCounters(options.submit, options.lazyMs);
  const open = eventOpener(options);
  let head: Head = options.opened.head;

  const write = (operation: WriteOperation) => {
    lazy.rideAlong();
    return options.submit(operation);
  };

  async function appendAll(
    drafts: readonly EventDraft[],
    appendOptions: AppendOptions = {},
  ): Promise<StoredRecord[]> {
    const stamp = options.stamp();
    const stamped = drafts.map((draft) => ({ draft, stamp }));
    const rows = (await write({ op: "append", drafts: stamped, options: appendOptions })) as StoredRow[];
    const records: StoredRecord[] = [];
    for (const [index, row] of rows.entries()) {
      const draft = stamped[index];
      if (draft === undefined) throw new Error("journal: more records than drafts");
      // Built here again from the same parts rather than sent across: the answers come in the chain's order.
      records.push({ ...row, event: placeEvent(options, head, draft) });
      head = { boot: head.boot, sequence: row.sequence, hash: row.hash };
    }
    for (const record of records) for (const listener of listeners) listener(record);
    return records;
  }

  const readRows = (after: number, limit: number) =>
    options.submit({ op: "rows", after, limit }) as Promise<StoredRow[]>;

  async function putReceipts(batch: ReceiptBatch): Promise<void> {
    await write({ op: "putReceipts", batch });
    const known = progress.get(batch.path) ?? { complete: 0, beyond: [] };
    const complete = Math.max(known.complete, batch.complete);
    const beyond = new Set([...known.beyond, ...batch.beyond].filter((sequence) => sequence > complete));
    progress.set(batch.path, { complete, beyond: [...beyond].sort((a, b) => a - b) });
    for (const listener of receiptListeners) listener(batch);
  }

  return {
    get head() {
      return head;
    },
    damage: options.opened.damage,
    appendAll,
    async append(draft, counter) {
      const [record] = await appendAll([draft], counter === undefined ? {} : { counter });
      if (record === undefined) throw new Error("journal: an append without a record");
      return record;
    },
    onStored(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onReceipts(listener) {
      receiptListeners.add(listener);
      return () => void receiptListeners.delete(listener);
    },
    readRows,
    read: async (after, limit) => (await readRows(after, limit)).map(open),
    record: async (sequence) =>
      (await readRows(sequence - 1, 1)).filter((row) => row.sequence === sequence).map(open)[0],
    putReceipts,
    cursor: (path) => progress.get(path)?.complete ?? 0,
    settledBeyond: (path) => progress.get(path)?.beyond ?? [],
    receipts: (sequence) => options.submit({ op: "receipts", sequence }) as Promise<StoredReceipt[]>,
    heard: ({ devEui, eventNumber, kind, mode }: EventName) =>
      options.submit({ op: "heard", name: { devEui, eventNumber, kind, mode } }) as Promise<
        RememberedEvent | undefined
      >,
    memories: () =>
      options.submit({ op: "memories" }) as Promise<{ devices: DeviceMemory[]; events: RememberedEvent[] }>,
    points: () => options.submit({ op: "points" }) as Promise<PointMemory[]>,
    settings: () => options.submit({ op: "settings" }) as Promise<SettingRow[]>,
    flush: lazy.flush,
    loadDevices: () => loadDevicePages(options.submit),
    loadDutyCycle: () => options.submit({ op: "loadDutyCycle" }) as Promise<string | null>,
    saveDevices: async (rows) => void (await write({ op: "saveDevices", rows })),
    saveDevice: async (row) => void (await write({ op: "saveDevices", rows: [row] })),
    removeDevice: async (devEui) => void (await write({ op: "removeDevice", devEui })),
    commitJoin: async (devEui, join) => void (await write({ op: "commitJoin", devEui, join })),
    switchSession: async (devEui) => void (await write({ op: "switchSession", devEui })),
    reserveFCntDown: async (devEui, firstUnreserved) =>
      void (await write({ op: "reserveFCntDown", devEui, firstUnreserved })),
    saveCounters: lazy.saveCounters,
    saveDutyCycle: lazy.saveDutyCycle,
    async [Symbol.asyncDispose]() {
      await lazy.close();
      await options.close();
    },
  };
}

/** So many rows cross between the threads at a time: all at once would leave both with tens of megabytes of garbage. */
const DEVICE_PAGE = 256;

async function loadDevicePages(submit: Submit): Promise<DeviceRow[]> {
  const share = createSharing();
  const rows: DeviceRow[] = [];
  for (;;) {
    const after = rows.at(-1)?.devEui ?? "";
    const page = (await submit({ op: "loadDevices", after, limit: DEVICE_PAGE })) as DeviceRow[];
    for (const row of page) rows.push(share(row));
    if (page.length < DEVICE_PAGE) return rows;
  }
}

/** Counters wait in memory, newest per device, and ride in the next transaction or are stored after `lazyMs`. */
function createLazyCounters(submit: Submit, lazyMs: number) {
  /** By device and session: a late word about an old session must not displace one about the new. */
  let counters = new Map<string, CounterChange>();
  let dutyCycle: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  let inFlight: Promise<unknown> = Promise.resolve();
  let closed = false;

  const rideAlong = () => {
    clearTimeout(timer);
    timer = undefined;
    if (counters.size === 0 && dutyCycle === null) return;
    const changes = [...counters.values()];
    const taken = { counters, dutyCycle };
    counters = new Map();
    dutyCycle = null;
    inFlight = submit({ op: "counters", changes, dutyCycle: taken.dutyCycle }).catch(() => {
      // The disk refused them. Nothing was promised: they go back and wait for the next attempt, which without a delay
      // is the next write: trying again at once would be trying without end.
      counters = new Map([...taken.counters, ...counters]);
      dutyCycle ??= taken.dutyCycle;
      if (lazyMs > 0) schedule();
    });
  };
  const schedule = () => {
    if (closed) return;
    if (lazyMs === 0) rideAlong();
    else timer ??= setTimeout(rideAlong, lazyMs).unref();
  };
  const flush = async () => {
    rideAlong();
    await inFlight;
  };
  return {
    rideAlong,
    saveCounters(devEui: string, c: SessionCounters) {
      const key = `${devEui}/${c.devAddr}`;
      const fCntUp = Math.max(c.fCntUp, counters.get(key)?.counters.fCntUp ?? c.fCntUp);
      counters.set(key, { devEui, counters: { ...c, fCntUp } });
      schedule();
    },
    saveDutyCycle(ledgerJson: string) {
      dutyCycle = ledgerJson;
      schedule();
    },
    flush,
    async close() {
      closed = true;
      await flush();
      clearTimeout(timer);
    },
  };
}

/** Turns a row into a record whose event is verified and parsed when it is first looked at. */
function eventOpener(options: StoreOptions): (row: StoredRow) => StoredRecord {
  const own = createSigningKey(options.privateKeyPem);
  const key = createVerifyingKey(own.publicKey, own.alg);
  const keyOf = (kid: string) => (kid === key.kid ? key : undefined);
  return (row) => {
    let event: EventRecord | undefined;
    return {
      ...row,
      get event() {
        event ??= openEvent(row.bytes, options.realm, keyOf).event;
        return event;
      },
    };
  };
}
