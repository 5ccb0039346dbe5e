/** The hub of a world: the product's own, in virtual time, on a folder that outlives its starts. */
import type { Clock, VirtualClock } from "../../hardware/virtual/clock.ts";
import type { Datagrams } from "../../hardware/virtual/datagram.ts";
import { createRandom } from "../../hardware/virtual/random.ts";
import { parseConfig } from "../../hub/config.ts";
import type { HubIdentity } from "../../hub/enrolments.ts";
import type { HubOptions } from "../../hub/foundation.ts";
import { type Hub, startHub } from "../../hub/main.ts";
import { GENESIS, HUB, PRIVATE_KEY_PEM, REALM } from "../hub/journal/fixture.ts";

export interface WorldHubOptions {
  readonly dir: string;
  readonly clock: VirtualClock;
  readonly datagrams: Datagrams;
  readonly seed: number;
  /** hub.yaml. */
  readonly yaml: string;
  /** False: it was never enrolled anywhere. */
  readonly hasCentre: boolean;
  readonly change?: Partial<HubOptions>;
}

export interface WorldHub {
  readonly now: Hub;
  /** What it has logged, by event name. */
  readonly logged: readonly string[];
  /** Virtual milliseconds at which the monotonic clock of this start stood at zero. */
  startedMs(boot: number): number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const LONELY: HubIdentity = {
  hub: HUB,
  realm: REALM,
  genesis: GENESIS,
  signingKeyPem: PRIVATE_KEY_PEM,
  tlsKeyPem: "",
  centres: [],
};

/** Not started yet. */
export function createWorldHub(options: WorldHubOptions): WorldHub {
  const { clock, hasCentre, seed } = options;
  const logged: string[] = [];
  const starts = new Map<number, number>();
  const note = (_: object, event: string) => void logged.push(event);
  let running: { hub: Hub; release(): void } | null = null;

  return {
    logged,
    get now() {
      if (running === null) throw new Error("the hub does not run");
      return running.hub;
    },
    startedMs: (boot) => starts.get(boot) ?? Number.NaN,
    async start() {
      const zeroMs = clock.monotonicMs();
      const own: Clock = { ...clock, monotonicMs: () => clock.monotonicMs() - zeroMs };
      const random = createRandom(seed + zeroMs);
      const hub = await startHub({
        dir: options.dir,
        config: parseConfig(options.yaml, "hub.yaml"),
        clock: own,
        log: { debug: () => undefined, info: note, warn: note, error: note },
        datagrams: options.datagrams,
        random: (n) => Uint8Array.from({ length: n }, () => Math.floor(random() * 256)),
        simulated: true,
        ...(hasCentre ? {} : { identity: LONELY }),
        ...options.change,
      });
      starts.set(hub.journal.head.boot, zeroMs);
      running = { hub, release: hasCentre ? holdOnTheLine(clock, hub) : () => undefined };
    },
    async stop() {
      running?.release();
      await running?.hub.stop();
      running = null;
    },
  };
}

/** Everything that the hub has is at the centre, and the hub knows it. */
export function isDelivered(hub: Hub): boolean {
  const path = hub.status().paths[0];
  return path?.up === true && path.backlog === 0;
}

/** While a record waits for its receipt on the real line, virtual time stands still. Returns the way to stop it. */
function holdOnTheLine(clock: VirtualClock, hub: Hub): () => void {
  let release: (() => void) | null = null;
  const letGo = () => {
    release?.();
    release = null;
  };
  const look = () => {
    const path = hub.status().paths[0];
    if (release !== null && path?.up && path.backlog > 0) setTimeout(look, 1);
    else letGo();
  };
  const stop = hub.journal.onStored(() => {
    if (release !== null) return;
    release = clock.hold();
    // when the relay has heard of it too
    setTimeout(look, 0);
  });
  return () => {
    stop();
    letGo();
  };
}
