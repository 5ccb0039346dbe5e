/** Fire panels and detectors whose register maps are published. Addresses are as on the wire, from 0. A code that is not
 *  here is trouble; what only says that all is well or who has armed what is "normal". */
import type { Profile } from "./profile.ts";

/** State codes of the Orion family, one byte each. */
const ORION_CODES = {
  "37": "fire",
  "40": "fire second detector",
  "44": "preAlarm attention",
  "9": "callPoint manual call point",
  "58": "silentPanic silent alarm",
  "3": "intrusion",
  "118": "alarm input alarm",
  "18": "duress code under duress",
  "27": "intrusion door forced",
  "146": "fire extinguishing starts",
  "144": "fire extinguishing",
  "149": "tamper case opened",
  "45": "fault line open",
  "214": "fault line short",
  "187": "fault device lost",
  "250": "fault device of the line lost",
  "189": "fault address line lost",
  "190": "fault address line lost",
  "215": "fault address line short",
  "41": "fault equipment",
  "204": "fault service needed",
  "165": "fault input parameter",
  "82": "fault thermometer",
  "2": "fault mains failed",
  "202": "fault battery",
  "211": "fault battery low",
  "212": "fault reserve battery discharged",
  "198": "fault power supply",
  "192": "fault output voltage off",
  "121": "fault output open",
  "122": "fault output short",
  "126": "fault output lost",
  "17": "fault arming failed",
  "111": "normal loop enabled",
  "112": "fault loop disabled",
  "36": "technical input violated",
  "19": "fault under test",
  "20": "fault under test",
  "21": "fault under test",
  "203": "fault device restarted",
  "1": "normal mains",
  "10": "normal call point",
  "24": "normal armed",
  "35": "normal input",
  "39": "normal equipment",
  "47": "normal address line",
  "109": "normal disarmed",
  "152": "normal case closed",
  "188": "normal device back",
  "199": "normal power supply",
  "200": "normal battery",
  "213": "normal reserve battery",
  "223": "normal patrol mark",
  "241": "normal partition armed",
  "242": "normal partition disarmed",
  "251": "normal device of the line back",
} as const;

const ONE_POINT = { from: 1, to: 1, step: 1, pollMs: 1000, block: 100 } as const;
const BOLID_SOURCE =
  "S2000-PP 3.xx as read by the dk-1983/Modbus_Devices integration; check with the unit's own manual";

export const PROFILES = {
  "bolid-c2000-pp": {
    title: "Bolid C2000-PP (S2000-PP): zones",
    source: BOLID_SOURCE,
    table: "holdingRegisters",
    address: 40_000,
    from: 1,
    to: 512,
    step: 1,
    width: 1,
    pollMs: 500,
    block: 100,
    codes: { word: 0, byte: "both", means: ORION_CODES },
  },
  "bolid-c2000-pp-value": {
    title: "Bolid C2000-PP (S2000-PP): measured values of zones of type 6",
    source: BOLID_SOURCE,
    table: "holdingRegisters",
    address: 46_328,
    from: 1,
    to: 512,
    step: 1,
    width: 1,
    pollMs: 10_000,
    block: 1,
    select: 46_179,
    value: { word: 0, signed: true, fractionBits: 8, unit: "" },
  },
  "notifier-modbus-gw": {
    title: "Honeywell Notifier MODBUS-GW: points by their register",
    source: "Notifier LS10015-000NF-E, revision C2, 4/30/2019",
    table: "holdingRegisters",
    address: 0,
    from: 0,
    to: 65_535,
    step: 1,
    width: 1,
    pollMs: 500,
    block: 100,
    absent: { word: 0, mask: 0xff, equals: 0xff },
    codes: {
      word: 0,
      byte: "low",
      when: 11,
      means: {
        "0": "fault active, and does not say what",
        "16": "fire",
        "17": "intrusion security, life",
        "18": "technical critical process",
        "19": "medical",
        "20": "fire carbon monoxide",
        "32": "intrusion security, property",
        "48": "technical supervisory",
        "64": "technical supervisory",
        "113": "technical not fire",
      },
    },
    bits: [
      {
        word: 0,
        set: { "14": "preAlarm", "13": "fault trouble", "9": "fault disabled" },
        ignore: [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 15],
        oneOf: [
          [11, 12],
          [9, 10],
        ],
      },
    ],
  },
  "calectro-ug3": {
    title: "Calectro UG-3 duct smoke detector",
    source: "Calectro UG-3-O-MB-R",
    ...ONE_POINT,
    table: "discreteInputs",
    address: 0,
    width: 4,
    bits: [
      {
        word: 0,
        set: { "1": "fault service", "2": "smoke" },
        clear: { "0": "fault not mounted" },
        // the relay follows the alarm
        ignore: [0, 3],
        oneOf: [],
      },
    ],
  },
  "system-sensor-faast": {
    title: "System Sensor FAAST aspirating smoke detector",
    source: "System Sensor FAAST Modbus map: 8 relays, 13 alarm levels",
    ...ONE_POINT,
    table: "holdingRegisters",
    address: 8,
    width: 6,
    bits: [
      { word: 0, set: { "6": "fault" }, ignore: [0, 1, 2, 3, 4, 5, 7], oneOf: [] },
      {
        word: 5,
        set: {
          "0": "preAlarm alert",
          "1": "preAlarm action 1",
          "2": "preAlarm action 2",
          "3": "smoke fire 1",
          "4": "smoke fire 2",
        },
        ignore: [],
        oneOf: [],
      },
    ],
  },
} as const satisfies Record<string, Profile>;

export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);

/** The built-in profile of this name. */
export function builtInProfile(name: string): Profile | undefined {
  return Object.hasOwn(PROFILES, name) ? PROFILES[name as keyof typeof PROFILES] : undefined;
}
