/** Which answers may still be on their way. A unit answers in the order in which it is asked, but a frame of the serial
 *  line does not say what it answers: the late answer to an abandoned request looks like the answer to the next one of the
 *  same unit and function, and of the same length if it is no exception. So until a unit has answered something that
 *  cannot be mistaken, it is asked for something else than what is wanted. */
import { isWrite, type ModbusRequest, replyLength } from "./rtu-frame.ts";

interface Abandoned {
  readonly request: ModbusRequest;
  readonly untilMs: number;
}

export interface InStep {
  /** What may be asked now in place of `request`: itself, a read whose data cannot be mistaken, or nothing yet. */
  ask(request: ModbusRequest, nowMs: number): ModbusRequest | null;
  /** Nobody waits for this request's answer any more. */
  abandoned(request: ModbusRequest, nowMs: number): void;
  /** An answer has come that this request can have caused. */
  answered(request: ModbusRequest, isException: boolean, nowMs: number): void;
  /** The line is a new one. */
  clear(): void;
}

/** Counts that answer with different lengths, whether bits or registers are read. */
const PROBE_COUNTS = [1, 9, 25, 33];
/** The same memory by the other name, or an exception that names the other function: an answer in either case. */
const OTHER_FUNCTION = { 1: 2, 2: 1, 3: 4, 4: 3, 5: 1, 6: 4 } as const;

/** `lateMs`: after so long an abandoned request is no longer answered. */
export function createInStep(lateMs: number): InStep {
  let waiting: Abandoned[] = [];

  const isAlike = (a: ModbusRequest, b: ModbusRequest) =>
    a.unit === b.unit && a.functionCode === b.functionCode;
  const isMistakable = (request: ModbusRequest) =>
    waiting.some((one) => isAlike(one.request, request) && replyLength(one.request) === replyLength(request));

  return {
    ask(request, nowMs) {
      waiting = waiting.filter(({ untilMs }) => untilMs > nowMs);
      if (!waiting.some((one) => isAlike(one.request, request))) return request;
      const { unit, address } = request;
      const other = OTHER_FUNCTION[request.functionCode];
      const probes = PROBE_COUNTS.map((count) => ({ unit, functionCode: other, address, count }));
      // less of the same is what every unit can answer
      const less = isWrite(request.functionCode) || request.count === 1 ? [] : [{ ...request, count: 1 }];
      return [...less, ...probes].find((probe) => !isMistakable(probe)) ?? null;
    },
    abandoned(request, nowMs) {
      const untilMs = nowMs + lateMs;
      // what is asked of a unit that is late comes behind what it was asked before
      waiting = waiting.map((one) => (one.request.unit === request.unit ? { ...one, untilMs } : one));
      waiting.push({ request, untilMs });
    },
    answered(request, isException, nowMs) {
      const oldest = isException ? waiting.find((one) => isAlike(one.request, request)) : undefined;
      const settled = oldest === undefined ? waiting.length : waiting.indexOf(oldest) + 1;
      waiting = waiting.filter((one, at) => at >= settled || one.request.unit !== request.unit);
      // it was the older one's exception as likely as this one's, which may then still come
      if (oldest !== undefined) waiting.push({ request, untilMs: nowMs + lateMs });
    },
    clear() {
      waiting = [];
    },
  };
}
