/** The hub on its three computers, and the siren and strobe beside it. */
import type { PartName } from "../boards.ts";
import { assemble, type Build, type Fragment } from "./build.ts";

/** Supply, concentrator and two buses; each bus ends here with its resistor. */
function hub(computer: PartName): Fragment {
  return {
    parts: {
      X1: { use: "piSupply" },
      U1: { use: computer },
      U2: { use: "concentrator" },
      U3: { use: "usbRs485", note: "Bus of our own devices" },
      X3: { use: "busTerminal", note: "Own devices" },
      R1: { use: "resistor", ohms: 120, note: "End of line at the hub" },
      U4: { use: "usbRs485", note: "Modbus: fire panels of others" },
      X4: { use: "busTerminal", note: "Modbus" },
      R2: { use: "resistor", ohms: 120, note: "End of line at the hub" },
    },
    nets: {
      supply: ["X1.+5V", "U1.5V"],
      ground: ["X1.0V", "U1.GND"],
      mainsLost: ["X1.LOST", "U1.GPIO17"],
      usbRadio: ["U1.USB1", "U2.USB"],
      usbBus: ["U1.USB2", "U3.USB"],
      usbModbus: ["U1.USB3", "U4.USB"],
      busA: ["U3.A", "X3.A", "R1.1"],
      busB: ["U3.B", "X3.B", "R1.2"],
      modbusA: ["U4.A", "X4.A", "R2.1"],
      modbusB: ["U4.B", "X4.B", "R2.2"],
    },
    notes: [
      "Two buses, two adapters: own devices and Modbus never share a pair.",
      "Name the adapters in hub.yaml by /dev/serial/by-id: USB numbers change.",
      "The antenna outside, with a surge arrester; screens of both buses are earthed here only.",
    ],
  };
}

/** The Pi 4 needs a clock of its own. */
const CLOCK: Fragment = {
  parts: { U5: { use: "clock" } },
  nets: {
    clockSupply: ["U1.3V3", "U5.VCC"],
    ground: ["U5.GND"],
    clockData: ["U1.GPIO2", "U5.SDA"],
    clockBeat: ["U1.GPIO3", "U5.SCL"],
  },
};

const ANNUNCIATOR: Fragment = {
  parts: {
    U1: { use: "uno", note: "USB to the hub" },
    K1: { use: "relays" },
    X1: { use: "mains12v" },
    H1: { use: "siren" },
    H2: { use: "strobe" },
    S1: { use: "keySwitch" },
    R1: { use: "resistor", ohms: 10_000, note: "Silent while the Arduino starts" },
    R2: { use: "resistor", ohms: 10_000, note: "Dark while the Arduino starts" },
  },
  nets: {
    relaySupply: ["U1.5V", "K1.VCC"],
    ground: ["U1.GND", "K1.GND", "R1.2", "R2.2", "S1.b"],
    siren: ["U1.7", "K1.IN1", "R1.1"],
    strobe: ["U1.8", "K1.IN2", "R2.1"],
    silence: ["U1.4", "S1.a"],
    feed: ["X1.+12V", "K1.COM1", "K1.COM2"],
    sirenFeed: ["K1.NO1", "H1.+"],
    strobeFeed: ["K1.NO2", "H2.+"],
    feedReturn: ["X1.0V", "H1.-", "H2.-"],
  },
  notes: [
    "The hub notices when the Arduino is gone, but not a broken wire to siren or strobe: let both sound once a month.",
    "10 µF from RESET to GND of the Arduino, or the siren's relay may click when the hub restarts.",
    "Never the only way of alarm.",
  ],
};

export const HUB_BUILDS: readonly Build[] = [
  assemble({ name: "hub-pi4", title: "Hub on Raspberry Pi 4", controller: "U1" }, [hub("pi4"), CLOCK]),
  assemble({ name: "hub-pi5", title: "Hub on Raspberry Pi 5", controller: "U1" }, [hub("pi5")]),
  assemble({ name: "hub-cm5", title: "Hub on Compute Module 5", controller: "U1" }, [hub("cm5")]),
  assemble({ name: "annunciator", title: "Siren and strobe on an Arduino", controller: "U1" }, [ANNUNCIATOR]),
];
