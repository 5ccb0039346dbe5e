import { describe, expect, test } from "vitest";
import { commentedConfig, configHash, parseConfig } from "../../../hub/config.ts";

const FILE = "hub.yaml";

/** The message for a file, without which the test fails. */
function mistakes(text: string): string {
  try {
    parseConfig(text, FILE);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the file was taken");
}

describe("hub.yaml", () => {
  test("needs nothing but the region", () => {
    expect(parseConfig("region: EU433\n", FILE)).toMatchObject({
      region: "EU433",
      semtechUdp: { host: "127.0.0.1", port: 1700, gateways: [] },
      broker: { host: "127.0.0.1", port: 1883 },
      centre: { pollS: 10 },
      lorawan: { netId: "000000", rxDelayS: 1 },
      log: { level: "info" },
    });
  });

  test("as printed with its comments is the default, once the region is filled in", () => {
    const printed = commentedConfig();
    expect(printed).toMatch(/^region:$/m);
    expect(mistakes(printed)).toMatch(/^hub\.yaml:\d+: region: it must be set; write one of EU433/);
    const filled = parseConfig(printed.replace("region:", "region: EU433"), FILE);
    expect(filled).toEqual(parseConfig("region: EU433", FILE));
  });

  test.each([
    [
      "an empty file",
      "",
      "hub.yaml:1: region: it must be set; write one of EU433, EU868, RU864, AS923, UZ923",
    ],
    [
      "an unknown region",
      "region: US915",
      'hub.yaml:1: region: "US915" is not known; write one of EU433, EU868, RU864, AS923, UZ923',
    ],
    [
      "a wrong key",
      "region: EU433\n\nregoin: EU868",
      "hub.yaml:3: regoin: there is no such setting. See: tugma hub config --commented",
    ],
    [
      "a wrong key further in",
      "region: EU433\nbroker:\n  host: localhost\n  prot: 1\n",
      "hub.yaml:4: broker.prot: there is no such setting. See: tugma hub config --commented",
    ],
    [
      "a port out of range",
      "region: EU433\nsemtechUdp:\n  port: 70000",
      "hub.yaml:3: semtechUdp.port: expected integer to be less or equal to 65535; got 70000",
    ],
    [
      "a text for a number",
      "region: EU433\ncentre: { pollS: soon }",
      'hub.yaml:2: centre.pollS: expected integer; got "soon"',
    ],
    ["a number for a section", "region: EU433\nlorawan: 1", "hub.yaml:2: lorawan: expected object; got 1"],
    [
      "an EUI that YAML reads as a number",
      "region: EU433\nsemtechUdp:\n  gateways:\n    - eui: 1234567890123456",
      "hub.yaml:4: semtechUdp.gateways.0.eui: expected string, pattern ^[0-9a-f]{16}$; got 1234567890123456. Put the digits in quotes",
    ],
    [
      "an unknown level",
      "region: EU433\nlog:\n  level: loud",
      'hub.yaml:3: log.level: "loud" is not known; write one of debug, info, warn, error',
    ],
    [
      "a bus with a misspelt key",
      "region: EU433\nbuses:\n  - name: stairs\n    port: /dev/ttyS1",
      "hub.yaml:3: buses.0.path: ",
    ],
    [
      "an address that is none",
      "region: EU433\nbuses:\n  - { name: stairs, path: /dev/ttyS1, addresses: [1, 127] }",
      "hub.yaml:3: buses.0.addresses.1: expected integer to be less or equal to 126; got 127",
    ],
    [
      "a serial server without a port",
      "region: EU433\nbuses:\n  - { name: a, path: tcp://10.0.0.7, addresses: [1] }",
      "hub.yaml:3: buses.0.path: write it as tcp://HOST:PORT",
    ],
    [
      "a bus without devices",
      "region: EU433\nbuses:\n  - name: stairs\n    path: /dev/ttyS1",
      "hub.yaml:3: buses.0.name: stairs has no devices: give addresses, or a range to scan",
    ],
    [
      "two buses on one adapter",
      "region: EU433\nbuses:\n  - { name: a, path: /dev/x, addresses: [1] }\n  - { name: b, path: /dev/x, addresses: [1] }",
      "hub.yaml:4: buses.1.path: another bus is on /dev/x too",
    ],
    [
      "more devices than a bus drives",
      "region: EU433\nbuses:\n  - name: a\n    path: /dev/x\n    addresses: [1, 2]\n    scan: { from: 3, to: 40 }",
      "hub.yaml:6: buses.0.scan: 40 addresses; a bus has 31 at most",
    ],
    ["a key twice", "region: EU433\nregion: EU868", "hub.yaml:2: Map keys must be unique"],
  ])("%s is named with its line and what to do", (_, text, message) => {
    expect(mistakes(text).split("\n")[0]).toContain(message);
  });

  test("every mistake is named, not only the first", () => {
    expect(mistakes("region: X\nbroker: { port: -1 }\nfoo: 1").split("\n")).toHaveLength(3);
  });

  test("text that is no YAML is named with its line", () => {
    expect(mistakes("region: EU433\n  name: [\n")).toMatch(/^hub\.yaml:\d+: /);
  });

  test("its hash is of its meaning, not of its layout", () => {
    const hash = configHash(parseConfig("region: EU433\nname: A", FILE));
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(configHash(parseConfig("# a comment\nname: A\nregion: EU433", FILE))).toBe(hash);
    expect(configHash(parseConfig("region: EU868\nname: A", FILE))).not.toBe(hash);
  });
});
