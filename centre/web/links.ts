/** One-time links, made beside a running centre or before it starts: `users.sqlite` is all they need. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { openUsers } from "./users.ts";

/** A link that lets one person make an operator's account. `base` is the console's origin, e.g. "http://127.0.0.1:8080". */
export function invitationLink(dir: string, base: string): string {
  using users = openUsers(join(dir, "users.sqlite"), { now: Date.now, random: randomBytes });
  return linkAddress(base, "first", users.issueInvitation());
}

/** A link that signs the operator `name` in once; the account is made, without a password, when the name is new. */
export function loginLink(dir: string, base: string, name: string): string {
  using users = openUsers(join(dir, "users.sqlite"), { now: Date.now, random: randomBytes });
  return linkAddress(base, "once", users.issueLoginLink(name));
}

/** The token stands behind `#`: no server, proxy or log on the way ever sees it. */
export function linkAddress(base: string, kind: "first" | "once", token: string): string {
  return `${base}/${kind}#${token}`;
}
