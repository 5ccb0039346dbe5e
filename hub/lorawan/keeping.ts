/** Order of writes to the store: a session change before anything that happens under the new session. */
import type { Clock } from "../clock.ts";
import type { Exchange } from "./exchange.ts";
import { endUplink, type LiveDevice, type LiveSession } from "./session.ts";
import type { Uplink, UplinkSink } from "./sink.ts";
import type { LorawanStore } from "./store.ts";

/** Counters of unconfirmed traffic are collected this long before they are handed to the store. */
const SAVE_AFTER_MS = 1_000;

export interface Keeping {
  /** Settles when the uplink is kept; `uplink` null: it has no application data. Rejects when the disk refused. */
  keep(live: LiveSession, exchange: Exchange, uplink: Uplink | null): Promise<void>;
  /** Settles when the store knows the device's current session. */
  ensureSwitched(device: LiveDevice): Promise<void>;
  /** Hands over what is collected. */
  flush(): void;
}

export interface KeepingOptions {
  store: LorawanStore;
  sink: UplinkSink;
  clock: Clock;
}

/** Everything that writing needs. */
export function createKeeping({ store, sink, clock }: KeepingOptions): Keeping {
  const changed = new Set<LiveSession>();

  const ensureSwitched = (device: LiveDevice): Promise<void> => {
    if (!device.switchOwed) return Promise.resolve();
    // one call only: a second one could promote what a later join has left pending
    device.switching ??= store
      .switchSession(device.facts.devEui)
      .then(() => {
        device.switchOwed = false;
        const devAddr = device.session?.state.devAddr ?? "";
        sink.notice({ type: "joined", devEui: device.facts.devEui, devAddr });
      })
      .finally(() => {
        device.switching = null;
      });
    return device.switching;
  };

  const flush = () => {
    for (const { device, state, acceptedFCntUp } of changed) {
      const { devAddr, dataRate, txPowerIndex, nbTrans } = state;
      const counters = { devAddr, fCntUp: acceptedFCntUp, dataRate, txPowerIndex, nbTrans };
      store.saveCounters(device.facts.devEui, counters);
    }
    changed.clear();
  };

  return {
    ensureSwitched,
    flush,
    async keep(live, exchange, uplink) {
      const { device } = live;
      const { devEui } = device.facts;
      const { fCntUp } = exchange;
      try {
        if (device.switchOwed) await ensureSwitched(device);
        const accepted = uplink === null ? { hold: false } : await sink.accept(uplink, { devEui, fCntUp });
        exchange.hold = accepted.hold;
        endUplink(live, fCntUp, true);
        if (accepted.durable === true) return;
      } catch (error) {
        endUplink(live, fCntUp, false);
        throw error;
      }
      if (changed.size === 0) clock.setTimer(flush, SAVE_AFTER_MS);
      changed.add(live);
    },
  };
}
