/** The demo's world in real time: virtual buttons with the real firmware on a virtual air, and a hub and a centre as processes of
 *  their own. One press after the other; does the first downlink in RX1 say already that the centre has the alarm? */
import path from "node:path";
import { buildButton } from "../../hardware/demo/build.ts";
import { becomeFirstOperator, type Operator } from "../../hardware/demo/operator.ts";
import { DEMO_ENTRANCES, DEMO_REGION, type DemoEntrance } from "../../hardware/demo/site-data.ts";
import { startVirtualSite, type VirtualSite } from "../../hardware/demo/virtual-site.ts";
import { startWorld } from "../../hardware/demo/world.ts";
import type { Transmission } from "../../hardware/virtual/air-types.ts";
import { createRealClock } from "../../hardware/virtual/clock.ts";
import { createDeviceTables } from "../../hub/journal/devices.ts";
import { openForReading } from "../../hub/journal/schema.ts";
import { decodeStage, STAGE_FPORT, type Stage } from "../../protocols/device/stage.ts";
import { createAesKey, cryptFrmPayload } from "../../protocols/lorawan/crypto.ts";
import { decodePhyPayload } from "../../protocols/lorawan/phy.ts";
import type { Bench, Measured } from "./measure.ts";

/** Buttons that take turns: so that each rests between its presses. */
const BUTTONS = 8;
const BUTTONS_QUICK = 4;
const HOLD_MS = 300;
const JOIN_LIMIT_MS = 150_000;
/** A press without any downlink after this has none. */
const DOWNLINK_LIMIT_MS = 10_000;
/** RX1 begins a second after the uplink, RX2 two. */
const RX1_LATEST_MS = 1_500;

/** What the first downlink after a press was. */
interface Answer {
  readonly stage: Stage | "no stage" | "no downlink" | "not in RX1";
  /** From the finger on the button to the end of the downlink. */
  readonly ms: number;
}

export async function measure(bench: Bench): Promise<Measured> {
  const [presses, buttons] = bench.quick ? [12, BUTTONS_QUICK] : [102, BUTTONS];
  await using stack = new AsyncDisposableStack();
  const bundle = await buildButton();
  const world = await startWorld({
    dir: bench.dir,
    region: DEMO_REGION,
    realm: "bench",
    progress: bench.progress,
  });
  stack.defer(() => world.stop());
  const operator = await becomeFirstOperator(world.console.loginLink ?? "", "Bench");
  const entrances = Array.from({ length: buttons }, (_, n) => entranceOf(n));
  const clock = createRealClock();
  const virtual = await startVirtualSite({ dir: bench.dir, clock, bundle, world, entrances });
  stack.defer(() => virtual.stop());
  bench.progress(`${buttons} buttons join`);
  await untilJoined(bench, virtual);
  const first = watchDownlinks(virtual, path.join(world.hubDir, "journal.sqlite"));
  const answers: Answer[] = [];
  for (let n = 0; n < presses; n++) {
    bench.signal.throwIfAborted();
    if (n % 10 === 0) bench.progress(`press ${n} of ${presses}`);
    const devEui = entrances[n % buttons]?.id ?? "";
    const startMs = clock.monotonicMs();
    const answered = first(devEui, startMs);
    await virtual.site.press(devEui, HOLD_MS);
    answers.push(await answered);
    await closeIncident(operator, devEui);
  }
  return figures(answers);
}

/** The demo's four entrances, and as many more between them as are wanted. */
function entranceOf(n: number): DemoEntrance {
  const like = DEMO_ENTRANCES[n % DEMO_ENTRANCES.length];
  if (like === undefined) throw new Error("the demo has no entrances");
  const turn = Math.floor(n / DEMO_ENTRANCES.length);
  if (turn === 0) return like;
  const id = (BigInt(`0x${like.id}`) + BigInt(turn * 16)).toString(16).padStart(16, "0");
  const { xM, yM } = like.position;
  return {
    ...like,
    id,
    name: `${like.name} (${turn + 1})`,
    position: { xM: xM + 15 * turn, yM: yM + 10 * turn },
  };
}

async function untilJoined(bench: Bench, { site }: VirtualSite): Promise<void> {
  const endMs = performance.now() + JOIN_LIMIT_MS;
  const waiting = () => [...site.modems.values()].filter((modem) => !modem.joined).length;
  while (waiting() > 0) {
    bench.signal.throwIfAborted();
    if (performance.now() > endMs)
      throw new Error(`${waiting()} buttons have not joined in ${JOIN_LIMIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // what a button says after its join is not to meet the first press
  await new Promise((resolve) => setTimeout(resolve, 5_000));
}

/** Gives the way to wait for the first downlink to a device after its next uplink. */
function watchDownlinks({ site }: VirtualSite, journalFile: string) {
  const readDownlink = createDownlinkReader(journalFile);
  type Waiting = {
    timer: NodeJS.Timeout;
    startMs: number;
    uplinkEndMs: number | null;
    resolve(answer: Answer): void;
  };
  const waiting = new Map<string, Waiting>();
  const settle = (devEui: string, stage: Answer["stage"], endMs: number) => {
    const one = waiting.get(devEui);
    waiting.delete(devEui);
    clearTimeout(one?.timer);
    one?.resolve({ stage, ms: endMs - one.startMs });
  };
  site.onEvent((event) => {
    if (event.type !== "frame") return;
    const { transmission } = event;
    const sender = waiting.get(transmission.from);
    if (sender !== undefined) sender.uplinkEndMs = transmission.endMs;
    if (transmission.polarity !== "down") return;
    const read = readDownlink(transmission);
    const uplinkEndMs = waiting.get(read?.devEui ?? "")?.uplinkEndMs ?? null;
    if (read === null || uplinkEndMs === null) return;
    const inRx1 = transmission.startMs - uplinkEndMs < RX1_LATEST_MS;
    settle(read.devEui, inRx1 ? read.stage : "not in RX1", transmission.endMs);
  });
  return (devEui: string, startMs: number): Promise<Answer> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => settle(devEui, "no downlink", Number.NaN), DOWNLINK_LIMIT_MS);
      waiting.set(devEui, { timer, startMs, uplinkEndMs: null, resolve });
    });
}

/** Whose downlink this is and what stage it tells, by the sessions that the hub has in its journal. */
function createDownlinkReader(journalFile: string) {
  let sessions = new Map<string, { devEui: string; appSKey: string }>();
  const load = () => {
    const database = openForReading(journalFile);
    const rows = createDeviceTables(database).load();
    database.close();
    sessions = new Map(
      rows.flatMap(({ devEui, session }) =>
        session === null ? [] : [[session.devAddr, { devEui, appSKey: session.appSKey }]],
      ),
    );
  };
  return ({ bytes }: Transmission) => {
    const frame = decodePhyPayload(bytes);
    if (frame.mType !== "unconfirmedDataDown" && frame.mType !== "confirmedDataDown") return null;
    const { devAddr, fCnt16, fPort, frmPayload } = frame;
    if (!sessions.has(devAddr)) load();
    const session = sessions.get(devAddr);
    if (session === undefined) return null;
    const { devEui, appSKey } = session;
    if (fPort !== STAGE_FPORT) return { devEui, stage: "no stage" as const };
    const plain = cryptFrmPayload(
      createAesKey(appSKey),
      "down",
      devAddr,
      fCnt16,
      Buffer.from(frmPayload, "hex"),
    );
    return { devEui, stage: decodeStage(plain).stage };
  };
}

/** As an operator would, so that the button has nothing more to ask and the next press stands alone. */
async function closeIncident(operator: Operator, devEui: string): Promise<void> {
  const open = (await operator.incidents()).filter((i) => i.device === devEui && i.stage !== "closed");
  for (const { id: incident } of open) {
    await operator.act({ type: "take", incident });
    await operator.act({ type: "close", incident, cause: "test" });
  }
}

function figures(answers: readonly Answer[]): Measured {
  const good = answers.filter(({ stage }) => stage === "received");
  const others: Record<string, number> = {};
  for (const { stage } of answers) if (stage !== "received") others[stage] = (others[stage] ?? 0) + 1;
  return {
    figures: [
      {
        name: `presses whose first RX1 downlink says "received"`,
        value: (100 * good.length) / answers.length,
        unit: "%",
        reference: null,
        bound: { is: ">=", limit: 99 },
        detail: { presses: answers.length, ...others },
      },
    ],
    curves: [{ name: "finger to answer, over the air", samples: good.map(({ ms }) => ms) }],
  };
}
