/** Everything an installer mounts. */
import { assemble, type Build, type Fragment } from "./build.ts";
import * as common from "./fragments.ts";
import { HUB_BUILDS } from "./hub-builds.ts";
import * as sensors from "./sensors.ts";

const NRF = common.MDBT42Q_PINS;
const ESP = common.ESP32_PINS;

const BATTERY_RADIO: readonly Fragment[] = [common.onBattery(NRF), common.rak3172(NRF)];
const WIRED: readonly Fragment[] = [common.onFeed(NRF), common.wire(NRF)];
const FACE: readonly Fragment[] = [
  common.alarmButton(NRF),
  common.lamp(NRF),
  common.buzzer(NRF),
  common.caseSwitch(NRF),
];

const BUTTONS: readonly Build[] = [
  assemble(
    {
      name: "entrance-button-rak3172",
      title: "Entrance button, radio, battery",
      firmware: { role: "entrance-button", uplink: "rak3172" },
      controller: "U1",
    },
    [...BATTERY_RADIO, ...FACE],
  ),
  assemble(
    {
      name: "entrance-button-rn2483",
      title: "Entrance button, radio (RN2483), battery",
      firmware: { role: "entrance-button", uplink: "rn2483" },
      controller: "U1",
    },
    [common.onBattery(NRF), common.rn2483(NRF), ...FACE],
  ),
  assemble(
    {
      name: "entrance-button-wire",
      title: "Stairwell button, RS-485",
      firmware: { role: "entrance-button", uplink: "wire" },
      controller: "U1",
    },
    [...WIRED, ...FACE],
  ),
  assemble(
    {
      name: "entrance-button-mqtt",
      title: "Entrance button, Wi-Fi",
      firmware: { role: "entrance-button", uplink: "mqtt" },
      controller: "U1",
    },
    [
      common.onWifi(ESP),
      common.alarmButton(ESP),
      common.lamp(ESP),
      common.buzzer(ESP),
      common.caseSwitch(ESP),
    ],
  ),
  assemble(
    {
      name: "personal-button-rak3172",
      title: "Personal button, radio, battery",
      firmware: { role: "personal-button", uplink: "rak3172" },
      controller: "U1",
    },
    [
      ...BATTERY_RADIO,
      common.alarmButton(NRF),
      common.caseSwitch(NRF),
      { nets: {}, notes: ["No light and no sound: nothing on it shows a press."] },
    ],
  ),
];

type Sensing = Pick<Build, "title"> & {
  readonly role: string;
  readonly sensor: NonNullable<Build["sensor"]>;
  readonly boxed: readonly Fragment[];
  readonly cabled: readonly Fragment[];
};

const SENSORS: readonly Sensing[] = [
  {
    role: "smoke-sensor",
    title: "Smoke sensor",
    sensor: sensors.CHAMBER_WIRING,
    boxed: [sensors.chamber(NRF), common.redLight(NRF), common.buzzer(NRF), common.caseSwitch(NRF)],
    cabled: [sensors.chamber(NRF), common.redLight(NRF), common.buzzer(NRF), common.caseSwitch(NRF)],
  },
  {
    role: "heat-sensor",
    title: "Heat sensor",
    sensor: sensors.THERMISTOR_WIRING,
    boxed: [sensors.thermistor(NRF), common.redLight(NRF), common.caseSwitch(NRF)],
    cabled: [sensors.thermistor(NRF), common.redLight(NRF), common.caseSwitch(NRF)],
  },
  {
    role: "call-point",
    title: "Manual call point",
    sensor: sensors.CALL_POINT_WIRING,
    boxed: [sensors.callPoint(NRF, sensors.CALL_POINT_BOXED), common.lamp(NRF), common.caseSwitch(NRF)],
    cabled: [sensors.callPoint(NRF, sensors.CALL_POINT_CABLED), common.lamp(NRF), common.caseSwitch(NRF)],
  },
  {
    role: "door-contact",
    title: "Door contact",
    sensor: sensors.DOOR_WIRING,
    boxed: [sensors.doorLoop(NRF, sensors.DOOR_BOXED), common.caseSwitch(NRF)],
    cabled: [sensors.doorLoop(NRF, sensors.DOOR_CABLED), common.caseSwitch(NRF)],
  },
];

function sensorBuilds({ role, title, sensor, boxed, cabled }: Sensing): Build[] {
  const head = (uplink: string, how: string) => ({
    name: `${role}-${uplink}`,
    title: `${title}, ${how}`,
    firmware: { role, uplink },
    controller: "U1",
    sensor,
  });
  return [
    assemble(head("rak3172", "radio, battery"), [...BATTERY_RADIO, ...boxed]),
    assemble(head("wire", "RS-485"), [...WIRED, ...cabled]),
  ];
}

export const BUILDS: readonly Build[] = [...BUTTONS, ...SENSORS.flatMap(sensorBuilds), ...HUB_BUILDS];

/** The build of a name, or undefined. */
export function buildOf(name: string): Build | undefined {
  return BUILDS.find((build) => build.name === name);
}
