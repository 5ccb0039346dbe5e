/** An operator without a browser: the same requests that the console's page makes, for `tugma press` and for tests. */
import { randomBytes, randomUUID } from "node:crypto";
import type { Act, Incident } from "../../centre/incidents/incident.ts";
import { INTENT_HEADER } from "../../centre/web/guard.ts";

export interface Operator {
  incidents(): Promise<Incident[]>;
  /** Rejects with the centre's reason when it is refused. */
  act(act: Omit<Act, "operator" | "atMs" | "key">): Promise<Incident>;
  evidence(incident: string): Promise<Uint8Array>;
}

/** Becomes the first operator by the link that the centre printed: `http://…/first#<token>`. */
export async function becomeFirstOperator(loginLink: string, name: string): Promise<Operator> {
  const link = new URL(loginLink);
  let cookie = "";
  const ask = async (method: "GET" | "POST", route: string, body?: object): Promise<Response> => {
    const response = await fetch(new URL(route, link.origin), {
      method,
      headers: { cookie, origin: link.origin, [INTENT_HEADER]: "1", "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`console ${route}: ${response.status} ${await response.text()}`);
    return response;
  };
  const password = randomBytes(18).toString("base64url");
  const welcome = await ask("POST", "/api/invitation", { token: link.hash.slice(1), name, password });
  cookie = (welcome.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
  return {
    async incidents() {
      const picture = (await (await ask("GET", "/api/incidents")).json()) as { incidents: Incident[] };
      return picture.incidents;
    },
    async act(act) {
      const answer = await ask("POST", "/api/acts", { ...act, key: randomUUID() });
      return ((await answer.json()) as { incident: Incident }).incident;
    },
    evidence: async (incident) =>
      new Uint8Array(await (await ask("GET", `/api/evidence/${incident}`)).arrayBuffer()),
  };
}
