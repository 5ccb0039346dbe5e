/** Questions to the core and their answers. Every act carries a key made by the page: the same key again, from a double
 *  press or a repeat after a lost answer, waits for the same result. */
import type { Act } from "../incidents/incident.ts";
import type { FromWeb, ToWeb } from "../web-link.ts";

type ActResult = Extract<ToWeb, { type: "actResult" }>;
type Evidence = Extract<ToWeb, { type: "evidence" }>;

export interface CoreTalk {
  /** The core's answer, or "noAnswer" after `ANSWER_MS`: the act may still happen, repeat it by its key. */
  act(act: Act): Promise<ActResult | "noAnswer">;
  /** An incident's evidence file. Requests for the same one share the answer. */
  evidence(incident: string): Promise<Evidence | "noAnswer">;
  /** Takes every message of the core. */
  hear(message: ToWeb): void;
}

export const ANSWER_MS = 4000;

/** `send` hands a message to the core; it must not throw. */
export function createCoreTalk(send: (message: FromWeb) => void): CoreTalk {
  const acts = createWaiting<ActResult>();
  const evidences = createWaiting<Evidence>();
  return {
    act: (act) => acts.ask(act.key, () => send({ type: "act", act })),
    evidence: (incident) =>
      evidences.ask(incident, () => send({ type: "evidence", incident, request: incident })),
    hear(message) {
      if (message.type === "actResult") acts.answer(message.key, message);
      else if (message.type === "evidence") evidences.answer(message.request, message);
    },
  };
}

interface Waiting<Answer> {
  ask(key: string, send: () => void): Promise<Answer | "noAnswer">;
  answer(key: string, answer: Answer): void;
}

function createWaiting<Answer>(): Waiting<Answer> {
  const open = new Map<
    string,
    { answer: Promise<Answer | "noAnswer">; settle: (answer: Answer | "noAnswer") => void }
  >();
  return {
    ask(key, send) {
      const already = open.get(key);
      if (already) return already.answer;
      const { promise, resolve } = Promise.withResolvers<Answer | "noAnswer">();
      const timer = setTimeout(() => resolve("noAnswer"), ANSWER_MS);
      const answer = promise.finally(() => {
        clearTimeout(timer);
        open.delete(key);
      });
      open.set(key, { answer, settle: resolve });
      send();
      return answer;
    },
    answer(key, answer) {
      open.get(key)?.settle(answer);
    },
  };
}
