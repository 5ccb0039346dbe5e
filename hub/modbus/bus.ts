/** One Modbus bus: one request at a time, in the order of the calls, whatever unit it is for. modbus-serial makes and reads
 *  the frames; the port, the silence between frames, time limits and what follows a failure are ours. A failure is a value. */
import modbusSerial from "modbus-serial";
import type { Clock } from "../clock.ts";
import { createInStep } from "./in-step.ts";
import type { Line, OpenLine } from "./line.ts";
import {
  type CharacterFormat,
  COIL_OFF,
  COIL_ON,
  characterMs,
  frameGapMs,
  isWrite,
  type ModbusRequest,
  type ReadFunction,
  replyLength,
} from "./rtu-frame.ts";
import { RtuPort } from "./rtu-port.ts";
import { TcpPort } from "./tcp-port.ts";

const { default: ModbusRTU } = modbusSerial;

export type Outcome =
  /** Registers as unsigned 16 bits; coils and inputs as 0 and 1. Empty for a write. */
  | { readonly ok: true; readonly values: readonly number[] }
  | { readonly ok: false; readonly failure: Failure };

export type Failure =
  | { readonly type: "exception"; readonly exceptionCode: number }
  /** No answer, or none that could be told from an answer to something else. */
  | { readonly type: "timeout" }
  /** The line is down. */
  | { readonly type: "line" };

export interface ReadRequest extends ModbusRequest {
  readonly functionCode: ReadFunction;
}

export interface ModbusBus {
  read(request: ReadRequest): Promise<Outcome>;
  /** Function 6. Only for what `mayWrite` allows; anything else throws: it is a bug, and it must not leave. */
  select(unit: number, address: number, value: number): Promise<Outcome>;
  /** Function 5, under the same condition. */
  switchCoil(unit: number, address: number, isOn: boolean): Promise<Outcome>;
  readonly isUp: boolean;
  readonly counters: Readonly<Record<BusCounter, number>>;
  close(): Promise<void>;
}

export type BusCounter =
  | "requests"
  | "replies"
  | "exceptions"
  | "timeouts"
  | "probes"
  | "babbles"
  | "discardedBytes"
  | "lineLosses";

export interface BusOptions {
  readonly clock: Clock;
  readonly openLine: OpenLine;
  /** Null: Modbus TCP, which numbers its requests and needs no silence. */
  readonly format: CharacterFormat | null;
  /** From the request's last byte to the answer's first. */
  readonly timeoutMs: number;
  mayWrite(unit: number, address: number): boolean;
  /** The line came up or went down; `reason` is null when it is up. */
  onLine(reason: string | null): void;
}

/** So many times its time limit after a request, its answer no longer comes. */
const LATE_FACTOR = 10;
/** Requests in a row without an answer, after which the line is made anew: a TCP connection whose other end may be long
 *  gone, or an adapter whose driver no longer hears. */
const DEAD_REQUESTS = { tcp: 3, serial: 20 } as const;

type Callback = (error: unknown, result?: object) => void;
type Client = InstanceType<typeof ModbusRTU>;
type Write = (this: Client, unit: number, address: number, count: number, done: Callback) => void;

export function openBus({ clock, format, timeoutMs, ...options }: BusOptions): ModbusBus {
  const counters = {
    requests: 0,
    replies: 0,
    exceptions: 0,
    timeouts: 0,
    probes: 0,
    babbles: 0,
    lineLosses: 0,
  };
  const gapMs = format === null ? 0 : frameGapMs(format);
  const byteMs = format === null ? 0 : characterMs(format);
  const inStep = createInStep(format === null ? 0 : timeoutMs * LATE_FACTOR);
  let pending: ((outcome: Outcome) => void) | null = null;
  let freeAtMs = clock.monotonicMs();
  let unanswered = 0;
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;
  let wake: () => void = () => undefined;

  const send = (bytes: Uint8Array) => line.write(bytes);
  const port = format === null ? new TcpPort(send, () => line.reset("not Modbus TCP")) : new RtuPort(send);
  const client = new ModbusRTU(port);
  client.open();
  const line: Line = options.openLine({
    up() {
      inStep.clear();
      if (port instanceof TcpPort) port.reset();
      // what was said before may still be in the adapter
      freeAtMs = clock.monotonicMs() + (format === null ? 0 : timeoutMs);
      unanswered = 0;
      options.onLine(null);
    },
    data(bytes) {
      freeAtMs = Math.max(freeAtMs, clock.monotonicMs() + gapMs);
      port.receive(bytes);
    },
    down(reason) {
      counters.lineLosses++;
      options.onLine(reason);
      pending?.(failed({ type: "line" }));
    },
  });

  /** One request and its answer, after the silence that is due. */
  async function exchange(request: ModbusRequest): Promise<Outcome> {
    if (!(await untilFree())) {
      counters.babbles++;
      return failed({ type: "timeout" });
    }
    if (closed || !line.isUp) return failed({ type: "line" });
    counters.requests++;
    const outcome = await answerTo(request);
    port.abandon();
    if (outcome.ok || outcome.failure.type === "exception") {
      inStep.answered(request, !outcome.ok, clock.monotonicMs());
      unanswered = 0;
      counters[outcome.ok ? "replies" : "exceptions"]++;
    } else if (outcome.failure.type === "timeout") giveUp(request);
    return outcome;
  }

  function answerTo(request: ModbusRequest): Promise<Outcome> {
    return new Promise((settle) => {
      const onTheLineMs = (8 + replyLength(request)) * byteMs;
      const timer = clock.setTimer(() => end(failed({ type: "timeout" })), timeoutMs + onTheLineMs);
      const end = (outcome: Outcome) => {
        timer.cancel();
        pending = null;
        settle(outcome);
      };
      pending = end;
      freeAtMs = clock.monotonicMs() + 8 * byteMs + gapMs;
      ask(client, request, (error, result) => {
        if (pending === end) end(outcomeOf(error, result, request));
      });
    });
  }

  /** Quiet for as long again, so that an answer that is only late is over before the next request. */
  function giveUp(request: ModbusRequest): void {
    counters.timeouts++;
    unanswered++;
    inStep.abandoned(request, clock.monotonicMs());
    if (format !== null) freeAtMs = clock.monotonicMs() + timeoutMs;
    if (unanswered < DEAD_REQUESTS[format === null ? "tcp" : "serial"]) return;
    line.reset(`${unanswered} requests without an answer`);
    unanswered = 0;
  }

  const gapLeftMs = () => freeAtMs - clock.monotonicMs();

  /** Settles with false when the line has not been silent for the time of a request: something babbles on it. */
  async function untilFree(): Promise<boolean> {
    const untilMs = Math.max(freeAtMs, clock.monotonicMs()) + timeoutMs;
    for (let waitMs = gapLeftMs(); waitMs > 0 && !closed; waitMs = gapLeftMs()) {
      if (clock.monotonicMs() >= untilMs) return false;
      await new Promise<void>((done) => {
        const timer = clock.setTimer(done, waitMs);
        wake = () => {
          timer.cancel();
          done();
        };
      });
    }
    return true;
  }

  async function transact(request: ModbusRequest): Promise<Outcome> {
    if (!line.isUp) return failed({ type: "line" });
    const asked = format === null ? request : inStep.ask(request, clock.monotonicMs());
    if (asked === null) return failed({ type: "timeout" });
    if (asked === request) return exchange(request);
    counters.probes++;
    const probe = await exchange(asked);
    if (!probe.ok && probe.failure.type !== "exception") return probe;
    return inStep.ask(request, clock.monotonicMs()) === request
      ? exchange(request)
      : failed({ type: "timeout" });
  }

  function enqueue(request: ModbusRequest): Promise<Outcome> {
    const turn = queue.then(() => transact(request));
    queue = turn;
    return turn;
  }

  function write(request: ModbusRequest): Promise<Outcome> {
    const { unit, functionCode, address } = request;
    if (!options.mayWrite(unit, address))
      throw new Error(`modbus: function ${functionCode} to unit ${unit}, address ${address} is not allowed`);
    return enqueue(request);
  }

  return {
    read: enqueue,
    select: (unit, address, count) => write({ unit, functionCode: 6, address, count }),
    switchCoil: (unit, address, isOn) =>
      write({ unit, functionCode: 5, address, count: isOn ? COIL_ON : COIL_OFF }),
    get isUp() {
      return line.isUp;
    },
    get counters() {
      return { ...counters, discardedBytes: port.discardedBytes };
    },
    async close() {
      closed = true;
      wake();
      pending?.(failed({ type: "line" }));
      await line.close();
    },
  };
}

/** Each call names its unit, so that the library's shared unit number is never used. */
function ask(client: Client, { unit, functionCode, address, count }: ModbusRequest, done: Callback): void {
  if (functionCode === 5) {
    client.writeFC5(unit, address, count === COIL_ON, done);
    return;
  }
  const write: Write = client[`writeFC${functionCode}`];
  write.call(client, unit, address, count, done);
}

function outcomeOf(error: unknown, result: object | undefined, request: ModbusRequest): Outcome {
  if (error === null || error === undefined) {
    const data = result !== undefined && "data" in result && Array.isArray(result.data) ? result.data : [];
    return {
      ok: true,
      values: isWrite(request.functionCode) ? [] : data.slice(0, request.count).map(Number),
    };
  }
  const exceptionCode = (error as { modbusCode?: unknown }).modbusCode;
  if (typeof exceptionCode === "number") return failed({ type: "exception", exceptionCode });
  // the port lets nothing else through than answers; what the library still refuses is as good as none
  return failed({ type: "timeout" });
}

function failed(failure: Failure): Outcome {
  return { ok: false, failure };
}
