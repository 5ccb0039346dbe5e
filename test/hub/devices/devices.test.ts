import { describe, expect, test } from "vitest";
import { checkDevices, readDeviceCsv } from "../../../hub/devices.ts";

const KEY = "2b7e151628aed2a6abf7158809cf4f3c";
const HEADER = "dev_eui,join_eui,app_key,name,site,zone";
const line = (eui: string) => `${eui},0000000000000001,${KEY},"Entrance ""2""",Chilonzor 9,Door`;
const importCsv = (text: string, known: string[] = []) => {
  const { inputs, lines } = readDeviceCsv(text);
  return checkDevices(inputs, new Set(known), (index) => `line ${lines[index]}`);
};

describe("a list of devices", () => {
  test("with only the needed columns gives devices that have never joined", () => {
    expect(importCsv(`${HEADER}\n${line("70B3D57ED0000001")}\n`)).toEqual([
      {
        devEui: "70b3d57ed0000001",
        joinEui: "0000000000000001",
        appKey: KEY,
        name: 'Entrance "2"',
        place: { site: "Chilonzor 9", zone: "Door" },
        macVersion: "1.0.4",
        deviceClass: "A",
        intervalS: 3600,
        allowModes: ["real", "test", "drill", "commissioning"],
        usedDevNonces: [],
        lastDevNonce: -1,
        joinNonce: 0,
        session: null,
        pendingSession: null,
      },
    ]);
  });

  test("takes semicolons, CRLF, a byte order mark, blank lines and line breaks in quotes", () => {
    const text = `\ufeff${HEADER};class;modes\r\n\r\n70b3d57ed0000001;0000000000000001;${KEY};"A\r\n"";B";S;Z;C;real test\r\n`;
    expect(() => importCsv(text.replaceAll(",", ";"))).toThrow("line 3: name");
    const clean = text.replace('\r\n"";B', '"";B').replaceAll(",", ";");
    expect(importCsv(clean)).toMatchObject([
      { name: 'A";B', deviceClass: "C", allowModes: ["real", "test"] },
    ]);
  });

  test("is refused whole, with every mistake and its line, and never shows a key", () => {
    const text = [
      HEADER,
      line("70b3d57ed0000001"),
      line("70b3d57ed000000"),
      line("70b3d57ed0000001"),
      line("70b3d57ed0000002"),
      line("70b3d57ed0000003").replace(KEY, "secret"),
    ].join("\n");
    const refusal = () => importCsv(text, ["70b3d57ed0000002"]);
    expect(refusal).toThrow(
      [
        "line 3: devEui: expected string to match '^[0-9a-f]{16}$' (^[0-9a-f]{16}$), got \"70b3d57ed000000\"",
        "line 4: DevEUI 70b3d57ed0000001 is also in line 2",
        "line 5: DevEUI 70b3d57ed0000002 is here already; remove it first to replace it",
        "line 6: appKey: ",
      ].join("\n"),
    );
    expect(refusal).not.toThrow("secret");
  });

  test.each([
    ["", "line 1: empty"],
    ["dev_eui,name\n", "line 1: the column join_eui is missing"],
    [`${HEADER},colour\n`, 'line 1: there is no column "colour"'],
    [`${HEADER},name\n`, "line 1: the column name is there twice"],
    [`${HEADER}\na,b\n`, "line 2: 2 cells, the header has 6"],
    [`${HEADER}\n"a,b\n`, "line 2: a quote is not closed"],
  ])("with a broken form (%j) says where", (text, message) => {
    expect(() => importCsv(text)).toThrow(message);
  });

  test("that is no list, or too long, is refused", () => {
    expect(() => checkDevices({}, new Set())).toThrow("expected a JSON array");
    expect(() => checkDevices(Array(10_001).fill({}), new Set())).toThrow("a hub takes 10000 devices");
  });
});
