/** Names and secrets for the hub's MQTT broker. The file holds hashes only; a secret is shown once, when it is made. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import type { BrokerUser } from "./broker/messages.ts";
import { FileProblem, readPrivate, writePrivate } from "./keys.ts";

const FILE = "keys/mqtt-users.json";
const SECRET_BYTES = 16;
const DEVICE_NAME = /^[0-9a-f]{16}$/;
const OBSERVER_NAME = /^[a-z][a-z0-9_-]{0,31}$/;

/** Everybody who may connect. Throws a FileProblem when the file is readable by others or broken. */
export function loadBrokerUsers(dir: string): BrokerUser[] {
  const file = path.join(dir, FILE);
  if (!existsSync(file)) return [];
  const list: unknown = JSON.parse(readPrivate(file));
  if (!Array.isArray(list) || !list.every(isUser))
    throw new FileProblem(`${file}: not a list of users; restore it`);
  return list;
}

/** Adds a user or gives it a new secret; returns the secret. Throws a FileProblem for a name that does not fit its role. */
export function addBrokerUser(dir: string, name: string, role: BrokerUser["role"]): string {
  if (!(role === "device" ? DEVICE_NAME : OBSERVER_NAME).test(name)) {
    throw new FileProblem(
      role === "device"
        ? `${name}: a board's name is its DevEUI, 16 lowercase hex digits`
        : `${name}: an observer's name is a-z, 0-9, "-" and "_", and begins with a letter`,
    );
  }
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const secretHash = createHash("sha256").update(secret).digest("hex");
  const others = loadBrokerUsers(dir).filter((user) => user.name !== name);
  writePrivate(path.join(dir, FILE), `${JSON.stringify([...others, { name, role, secretHash }], null, 2)}\n`);
  return secret;
}

function isUser(value: unknown): value is BrokerUser {
  if (typeof value !== "object" || value === null) return false;
  const { name, role, secretHash } = value as Record<string, unknown>;
  return (
    typeof name === "string" &&
    (role === "device" || role === "observer") &&
    typeof secretHash === "string" &&
    /^[0-9a-f]{64}$/.test(secretHash)
  );
}
