/** The supplies of a site: mains for all, a battery and a switch for each part. A part runs while it is switched on and
 *  one of the supplies it is fitted with is there. */
import type { Supply } from "./site-types.ts";

export interface PoweredPart {
  readonly id: string;
  readonly supply: Supply;
  power(on: boolean): Promise<void> | void;
}

export interface Power {
  start(): Promise<void>;
  stop(): Promise<void>;
  setMains(on: boolean): Promise<void>;
  setBattery(part: string, fitted: boolean): Promise<void>;
  setSwitch(part: string, on: boolean): Promise<void>;
}

/** Everything begins switched off, mains on and batteries fitted. `onChange` hears what starts and what stops. */
export function createPower(
  parts: readonly PoweredPart[],
  onChange: (part: string, on: boolean) => void,
): Power {
  const states = new Map(
    parts.map((part) => [part.id, { part, switchedOn: false, batteryIn: true, running: false }]),
  );
  let mainsOn = true;
  const applyNow = async () => {
    for (const [id, state] of states) {
      const { supply, power } = state.part;
      const fed = (supply.mains && mainsOn) || (supply.battery && state.batteryIn);
      const on = state.switchedOn && fed;
      if (on === state.running) continue;
      state.running = on;
      await power(on);
      onChange(id, on);
    }
  };
  const apply = inOrder(applyNow);
  const change = (id: string, values: { switchedOn?: boolean; batteryIn?: boolean }) => {
    const state = states.get(id);
    if (state === undefined)
      throw new Error(`site: nothing to switch is called ${id}; it has ${[...states.keys()].join(", ")}`);
    Object.assign(state, values);
    return apply();
  };
  const setAll = (switchedOn: boolean) => {
    for (const state of states.values()) state.switchedOn = switchedOn;
    return apply();
  };
  const setMains = (on: boolean) => {
    mainsOn = on;
    return apply();
  };
  return {
    start: () => setAll(true),
    stop: () => setAll(false),
    setMains,
    setBattery: (part, fitted) => change(part, { batteryIn: fitted }),
    setSwitch: (part, on) => change(part, { switchedOn: on }),
  };
}

/** Runs `act` once per call, one after the other: a part that is still starting must not be overtaken by its own switch.
 *  Whoever asked for a change hears of its failure; the next one does not. */
function inOrder(act: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.catch(() => undefined).then(act);
    return last;
  };
}
