/** Flashes boards side by side. A board is written and verified first, started, and only then registered. */

import { deviceDoor } from "../device-door.ts";
import { words } from "../keys.ts";
import type { BoardSession, ByteStream, Flasher } from "./board.ts";
import { deviceInput, type IdentityPlan, planIdentity } from "./identity.ts";
import { type LabelText, writeLabel } from "./label.ts";
import type { FlashOrder } from "./order.ts";
import { pendingBoards } from "./pending.ts";

export type BoardOutcome = "flashed" | "failed" | "unregistered";

export interface BoardResult {
  readonly port: string;
  readonly name: string;
  readonly outcome: BoardOutcome;
  /** Null while the board never got that far. */
  readonly devEui: string | null;
  readonly serial: string | null;
  /** Names of files that were not there yet. */
  readonly written: readonly string[];
  /** Files with its label. */
  readonly labels: readonly string[];
  /** What went wrong, and what to do. */
  readonly reason: string | null;
}

export interface CrateOptions {
  readonly orders: readonly FlashOrder[];
  /** The hub's folder. */
  readonly dir: string;
  readonly labelDir: string;
  readonly flasher: Flasher;
  readonly signal: AbortSignal;
  openPort(path: string): Promise<ByteStream>;
  /** One line for a person. */
  onProgress(order: FlashOrder, what: string): void;
}

/** What boards of one run share. */
interface Crate extends CrateOptions {
  readonly door: ReturnType<typeof deviceDoor>;
  readonly pending: ReturnType<typeof pendingBoards>;
  /** Port by unique id of the board on it. */
  readonly serials: Map<string, string>;
}

interface Flashed {
  readonly plan: IdentityPlan;
  readonly serial: string;
  readonly written: readonly string[];
}

const NOTHING = { devEui: null, serial: null, written: [], labels: [], reason: null } as const;

/** Settles with one result a board, in the order of `orders`; rejects only when nothing could be begun. */
export async function flashCrate(options: CrateOptions): Promise<BoardResult[]> {
  const { orders, dir, flasher } = options;
  const door = deviceDoor(dir);
  // a list that cannot be read, a folder that cannot be written: before any board is touched
  await door.list();
  const crate: Crate = { ...options, door, pending: pendingBoards(dir), serials: new Map() };
  const programs = new Map<string, string>();
  for (const { role, uplink } of orders) {
    const key = `${role} ${uplink}`;
    if (!programs.has(key)) programs.set(key, await flasher.program(role, uplink));
  }
  return Promise.all(
    orders.map((order) => flashOne(crate, order, programs.get(`${order.role} ${order.uplink}`) ?? "")),
  );
}

async function flashOne(crate: Crate, order: FlashOrder, program: string): Promise<BoardResult> {
  const { port, name } = order;
  let flashed: Flashed;
  try {
    flashed = await writeBoard(crate, order, program);
  } catch (error) {
    if (!isForPeople(error)) throw error;
    const reason = crate.signal.aborted ? "stopped before it was done. Flash it again" : words(error);
    crate.onProgress(order, `failed: ${reason}`);
    return { ...NOTHING, port, name, outcome: "failed", reason };
  }
  const { plan, serial, written } = flashed;
  const result = { ...NOTHING, port, name, devEui: plan.devEui, serial, written };
  try {
    if (!plan.isKnown) await crate.door.add([deviceInput(order, plan)]);
    crate.pending.settle(plan.devEui);
  } catch (error) {
    if (!isForPeople(error)) throw error;
    const reason = `written, but the hub does not know it: ${words(error)}. Hold its button while you give it power and run this again: it keeps its identity`;
    crate.onProgress(order, reason);
    return { ...result, outcome: "unregistered", reason };
  }
  crate.onProgress(order, `${plan.isKnown ? "known to the hub already" : "registered"} as ${plan.devEui}`);
  return { ...result, outcome: "flashed", ...labelled(crate, order, plan) };
}

function labelled(
  { labelDir }: Crate,
  order: FlashOrder,
  plan: IdentityPlan,
): Pick<BoardResult, "labels" | "reason"> {
  try {
    return { labels: writeLabel(labelDir, labelOf(order, plan)), reason: null };
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    return { labels: [], reason: `in order, but without a label: ${error.message}. Run this again for it` };
  }
}

async function writeBoard(crate: Crate, order: FlashOrder, program: string): Promise<Flashed> {
  const stream = await crate.openPort(order.port);
  const stop = () => void stream.close();
  crate.signal.addEventListener("abort", stop, { once: true });
  if (crate.signal.aborted) stop();
  try {
    const session = await crate.flasher.connect(stream, order.uplink);
    crate.onProgress(order, `${session.board} ${session.version}, ${session.serial}`);
    return await fill(crate, order, session, program);
  } finally {
    crate.signal.removeEventListener("abort", stop);
    await stream.close();
  }
}

/** Who the board is to be. Throws when it must be left as it is. */
async function decide(crate: Crate, order: FlashOrder, session: BoardSession): Promise<IdentityPlan> {
  const { door, pending, serials } = crate;
  // one board behind two names of its port would be two devices with one body
  const other = serials.get(session.serial);
  if (other !== undefined)
    throw new Error(`the board ${session.serial} is on ${other} too: give each board a port of its own`);
  serials.set(session.serial, order.port);
  if (order.boards?.includes(session.board) === false)
    throw new Error(
      `this is a ${session.board}; the pins are those of ${order.boards.join(", ")}. Give its own build or file with --profile`,
    );
  return planIdentity(order, session.identity, { devices: await door.list(), isPending: pending.has });
}

async function fill(
  crate: Crate,
  order: FlashOrder,
  session: BoardSession,
  program: string,
): Promise<Flashed> {
  const plan = await decide(crate, order, session).catch(async (error: unknown) => {
    await session.resume();
    throw error;
  });
  if (plan.isNew) {
    crate.pending.note(session.serial, plan.devEui, plan.appKey);
    await session.eraseAll();
  }
  const files = [
    { name: "identity", content: plan.file },
    { name: ".bootcde", content: program },
  ];
  let shown = -1;
  const written = await session.write(files, ({ file, bytes, ofBytes }) => {
    const percent = Math.floor((4 * bytes) / ofBytes) * 25;
    if (percent !== shown && file === ".bootcde") crate.onProgress(order, `${file} ${percent} %`);
    shown = percent;
  });
  await session.start(files);
  crate.onProgress(order, written.length > 0 ? "verified and started" : "had all of it already; started");
  return { plan, serial: session.serial, written };
}

function labelOf({ name, site, zone }: FlashOrder, { devEui, joinEui }: IdentityPlan): LabelText {
  return { devEui, joinEui, name, place: `${site}, ${zone}` };
}

/** What a board, a port, the disk or the list refuses; anything else is a bug and keeps its stack. */
function isForPeople(error: unknown): boolean {
  return error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError);
}
