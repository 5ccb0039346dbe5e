/** What ingest knows of every device: in memory, taken up from the journal at start, stored with each record. */
import {
  createDeviceEvents,
  type DeviceEvents,
  eventKey,
  eventsOf,
  isAhead,
  type KnownEvent,
} from "./device-events.ts";
import type { DeviceMemory, EventDraft, Journal, StoredRecord, UplinkCounter } from "./journal/journal.ts";

export interface DeviceState extends DeviceEvents {
  /** What is on stable storage of `highest` and `flags`. */
  saved: { highest: number | null; flags: number };
  /** The event whose stage the next downlink carries. */
  asked: KnownEvent | null;
  /** Whether the last uplink wants that answer. */
  answerDue: boolean;
  /** Frames that could not be read since the last one that could. */
  unreadable: number;
}

export interface DeviceTable {
  state(devEui: string): DeviceState;
  known(devEui: string): DeviceState | undefined;
  /** Events that may still rise, by sequence. */
  readonly open: ReadonlyMap<number, KnownEvent>;
  /** Those of them that no centre has confirmed yet, by sequence, ascending. */
  readonly unreceived: ReadonlyMap<number, KnownEvent>;
  /** The event's stage is beyond "stored". */
  risen(event: KnownEvent): void;
  remember(state: DeviceState, event: KnownEvent): void;
  /** The event has reached its last stage. */
  close(event: KnownEvent): void;
  forget(devEui: string): void;
  /** Stores drafts with the counter and what is now known of the device, in one transaction. A refusal takes the
   *  device's numbers back to what is stored. */
  store(state: DeviceState, drafts: readonly EventDraft[], counter: UplinkCounter): Promise<StoredRecord[]>;
}

/** Takes up where the journal says that the last run ended, so that a repeat after a crash is still a repeat. */
export async function loadDeviceTable(
  journal: Pick<Journal, "appendAll" | "memories">,
): Promise<DeviceTable> {
  const devices = new Map<string, DeviceState>();
  const open = new Map<number, KnownEvent>();
  const unreceived = new Map<number, KnownEvent>();

  function state(devEui: string): DeviceState {
    let known = devices.get(devEui);
    if (known === undefined) {
      const saved = { highest: null, flags: 0 };
      known = { ...createDeviceEvents(), saved, asked: null, answerDue: false, unreadable: 0 };
      devices.set(devEui, known);
    }
    return known;
  }

  function remember(device: DeviceState, event: KnownEvent): void {
    const key = eventKey(event.eventNumber, event.kind, event.mode);
    const events = eventsOf(device);
    const before = events.get(key);
    if (before !== undefined && before !== event) close(before);
    events.set(key, event);
    if (event.sequence === null || event.stage === "closed") return;
    open.set(event.sequence, event);
    if (event.stage === "stored") unreceived.set(event.sequence, event);
  }

  function close(event: KnownEvent): void {
    if (event.sequence === null) return;
    open.delete(event.sequence);
    unreceived.delete(event.sequence);
  }

  const memories = await journal.memories();
  for (const { devEui, highest, flags } of memories.devices) {
    Object.assign(state(devEui), { highest, flags, saved: { highest, flags } });
  }
  for (const event of memories.events) {
    remember(state(event.devEui), { ...event, stored: Promise.resolve(true), repeats: 0, tellings: 0 });
  }

  return {
    state,
    known: (devEui) => devices.get(devEui),
    open,
    unreceived,
    risen: ({ sequence }) => void (sequence !== null && unreceived.delete(sequence)),
    remember,
    close,
    forget(devEui) {
      for (const event of devices.get(devEui)?.events?.values() ?? []) close(event);
      devices.delete(devEui);
    },
    async store(device, drafts, counter) {
      const memory: DeviceMemory = {
        devEui: counter.devEui,
        highest: device.highest ?? 0,
        flags: device.flags,
      };
      try {
        const records = await journal.appendAll(drafts, { counter, memory });
        device.saved = { highest: memory.highest, flags: memory.flags };
        if (device.highest === null || isAhead(memory.highest, device.highest))
          device.highest = memory.highest;
        return records;
      } catch (error) {
        Object.assign(device, device.saved);
        throw error;
      }
    },
  };
}
