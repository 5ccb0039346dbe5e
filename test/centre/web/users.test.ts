import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hashPassword, passwordFlaw, verifyPassword } from "../../../centre/web/password.ts";
import { openUsers } from "../../../centre/web/users.ts";

const HOUR = 3_600_000;
const PASSWORD = "uch ko‘k olma";
const folder = mkdtempSync(join(tmpdir(), "tugma-users-"));
afterAll(() => rmSync(folder, { recursive: true }));

function openWith(now = 1_000_000_000_000) {
  const time = { now };
  return { time, users: openUsers(":memory:", { now: () => time.now, random: randomBytes }) };
}

describe("passwords", () => {
  test("a hash fits its password only, and carries its own salt and cost", async () => {
    const [first, second] = await Promise.all([
      hashPassword(PASSWORD, randomBytes(16)),
      hashPassword(PASSWORD, randomBytes(16)),
    ]);
    expect(first).toMatch(/^scrypt\$15\$8\$1\$/);
    expect(first).not.toBe(second);
    expect(await verifyPassword(PASSWORD, first)).toBe(true);
    expect(await verifyPassword(`${PASSWORD} `, first)).toBe(false);
    expect(await verifyPassword(PASSWORD, "scrypt$15$8$1$damaged")).toBe(false);
  });

  test("the same letters in another Unicode form are the same password", async () => {
    expect(await verifyPassword("пароль́й", await hashPassword("пароль́й", randomBytes(16)))).toBe(true);
  });

  test("nine characters are too few, whatever they are", () => {
    expect(passwordFlaw("🔑".repeat(9))).toBe("short");
    expect(passwordFlaw("a".repeat(10))).toBeNull();
    expect(passwordFlaw("a".repeat(201))).toBe("long");
  });
});

describe("the first operator", () => {
  test("there is none until an invitation is used, and it is used once", async () => {
    const { users } = openWith();
    expect(users.isEmpty()).toBe(true);
    const token = users.issueInvitation();
    expect(await users.accept(token, "Dilnoza", PASSWORD)).toEqual({ id: 1, name: "Dilnoza" });
    expect(users.isEmpty()).toBe(false);
    expect(await users.accept(token, "Somebody", PASSWORD)).toBe("link");
  });

  test("of two people with one link, one gets the account", async () => {
    const { users } = openWith();
    const token = users.issueInvitation();
    const both = await Promise.all([users.accept(token, "A", PASSWORD), users.accept(token, "B", PASSWORD)]);
    expect(both.filter((result) => result === "link")).toHaveLength(1);
  });

  test("a name that is taken, in any case of its letters, leaves the link good", async () => {
    const { users } = openWith();
    await users.accept(users.issueInvitation(), "Дилноза", PASSWORD);
    const token = users.issueInvitation();
    expect(await users.accept(token, " дилНОЗА", PASSWORD)).toBe("name");
    expect(await users.accept(token, "Bobur", PASSWORD)).toMatchObject({ name: "Bobur" });
  });

  test("an invitation ends after half an hour", async () => {
    const { users, time } = openWith();
    const token = users.issueInvitation();
    time.now += HOUR / 2;
    expect(await users.accept(token, "Dilnoza", PASSWORD)).toBe("link");
  });
});

describe("signing in", () => {
  test("name and password must both fit", async () => {
    const { users } = openWith();
    await users.accept(users.issueInvitation(), "Dilnoza", PASSWORD);
    expect(await users.login("dilnoza", PASSWORD)).toEqual({ id: 1, name: "Dilnoza" });
    expect(await users.login("Dilnoza", "wrong password")).toBeNull();
    expect(await users.login("Nobody", PASSWORD)).toBeNull();
  });

  test("an account made by a login link has no password that fits", async () => {
    const { users } = openWith();
    const token = users.issueLoginLink("Demo");
    expect(await users.login("Demo", "nobody has this one")).toBeNull();
    expect(users.redeem(token)).toEqual({ id: 1, name: "Demo" });
    expect(users.redeem(token)).toBeNull();
    expect(users.redeem(users.issueInvitation())).toBeNull();
  });

  test("a second link for the same name signs the same operator in", () => {
    const { users } = openWith();
    const [first, second] = [users.issueLoginLink("Demo"), users.issueLoginLink("demo")];
    expect(users.redeem(second)).toEqual(users.redeem(first));
  });
});

describe("sessions", () => {
  test("one lives while it is used, for thirteen hours at most", () => {
    const { users, time } = openWith();
    const operator = users.redeem(users.issueLoginLink("Demo"));
    const id = users.openSession(operator ?? { id: 0, name: "" });
    for (let minutes = 0; minutes < 13 * 60 - 20; minutes += 20) {
      time.now += 20 * 60_000;
      expect(users.touchSession(id)).toEqual(operator);
    }
    time.now += 20 * 60_000;
    expect(users.touchSession(id)).toBeNull();
  });

  test("an idle one ends after half an hour, and a closed one at once", () => {
    const { users, time } = openWith();
    const operator = { id: 1, name: "Demo" };
    users.redeem(users.issueLoginLink("Demo"));
    const [idle, closed] = [users.openSession(operator), users.openSession(operator)];
    users.closeSession(closed);
    expect(users.touchSession(closed)).toBeNull();
    time.now += HOUR / 2;
    expect(users.touchSession(idle)).toBeNull();
    expect(users.touchSession("made up")).toBeNull();
  });
});

test("the file gives away no password, link or session, and only its owner may read it", async () => {
  const path = join(folder, "users.sqlite");
  const secrets: string[] = [PASSWORD];
  {
    using users = openUsers(path, { now: Date.now, random: randomBytes });
    const operator = await users.accept(users.issueInvitation(), "Dilnoza", PASSWORD);
    secrets.push(users.issueInvitation(), users.issueLoginLink("Dilnoza"));
    if (typeof operator === "object") secrets.push(users.openSession(operator));
  }
  const bytes = readFileSync(path).toString("latin1");
  for (const secret of secrets) expect(bytes).not.toContain(Buffer.from(secret).toString("latin1"));
  expect(secrets).toHaveLength(4);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
