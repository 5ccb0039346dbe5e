/** Boards that run a program: Espruino boards, and the Arduino that works siren and strobe. Pins have Espruino's names. */
import { assumed, from, GROUND, type Part, type Pin, pins, supplyIn } from "./part.ts";

const nrf52832 = from("Nordic nRF52832 Product Specification v1.4");
const nrf52840 = from("Nordic nRF52840 Product Specification v1.7");
const mdbt42q = from("Espruino MDBT42Q reference");
const stm32f401 = from("ST STM32F401xB/C data sheet DS9716");
const pico = from("Espruino Pico reference");
const esp32 = from("Espressif ESP32 Series Datasheet v4");
const wroom = from("Espressif ESP32-WROOM-32 Datasheet");
const uno = from("Arduino Uno R3 (A000066) data sheet");
const mega328 = from("Microchip ATmega328P data sheet DS40002061");

/** High drive, which Espruino sets on outputs: 6 mA at the least, less some room. */
const NRF_PIN: Pin = { role: "io", maxMa: nrf52832(5), hasPullUp: true };
const NRF_ANALOG: Pin = { ...NRF_PIN, isAnalog: true };
const NRF_CURRENT = {
  /** Running Espruino from flash. */
  awake: mdbt42q(5),
  /** Without advertising, on its 32 kHz clock. */
  asleep: mdbt42q(0.005),
  /** For one pin that is watched, above sleep. */
  watching: assumed(0.002),
  /** An open UART keeps the fast clock running, above sleep. */
  uartOpen: mdbt42q(1),
} as const;

export const MDBT42Q = {
  name: "MDBT42Q (nRF52832)",
  order: "Espruino MDBT42Q module with Espruino 2v29",
  peakMa: mdbt42q(8),
  currentMa: NRF_CURRENT,
  pins: {
    VDD: supplyIn(nrf52832(1.7), nrf52832(3.6)),
    GND: GROUND,
    ...pins(["D11", "D12", "D13", "D14", "D15", "D16", "D17", "D18", "D19", "D20"], NRF_PIN),
    ...pins(["D7", "D22", "D23", "D24", "D25", "D26", "D27"], NRF_PIN),
    ...pins(["D2", "D3", "D4", "D5", "D28", "D29", "D30", "D31"], NRF_ANALOG),
    ...pins(["D0", "D1"], { ...NRF_PIN, keptFor: "the 32 kHz crystal that keeps time asleep" }),
    ...pins(["D6", "D8"], {
      ...NRF_PIN,
      keptFor: "the console's UART: a level that is high at power-up moves the console there",
    }),
    ...pins(["D9", "D10"], { ...NRF_PIN, keptFor: "the NFC antenna" }),
    D21: { ...NRF_PIN, keptFor: "the reset input" },
  },
} as const satisfies Part;

export const NRF52840 = {
  name: "nRF52840 module",
  order: "nRF52840 module with Espruino 2v29",
  peakMa: assumed(8),
  currentMa: NRF_CURRENT,
  pins: {
    VDD: supplyIn(nrf52840(1.7), nrf52840(3.6)),
    GND: GROUND,
    ...pins(["D6", "D7", "D8", "D11", "D12", "D13", "D14", "D15", "D16", "D17", "D19", "D20"], NRF_PIN),
    ...pins(["D21", "D22", "D23", "D24", "D25", "D26", "D27"], NRF_PIN),
    ...pins(["D2", "D3", "D4", "D5", "D28", "D29", "D30", "D31"], NRF_ANALOG),
    ...pins(["D0", "D1"], { ...NRF_PIN, keptFor: "the 32 kHz crystal that keeps time asleep" }),
    ...pins(["D9", "D10"], { ...NRF_PIN, keptFor: "the NFC antenna" }),
    D18: { ...NRF_PIN, keptFor: "the reset input" },
  },
} as const satisfies Part;

/** 25 mA is the limit of damage. */
const STM_PIN: Pin = {
  role: "io",
  maxMa: stm32f401(8),
  maxVolts: stm32f401(5.5),
  hasPullUp: true,
  uart: "none",
};
const STM_ANALOG: Pin = { ...STM_PIN, maxVolts: stm32f401(3.6), isAnalog: true };

export const PICO = {
  name: "Espruino Pico",
  order: "Espruino Pico with Espruino 2v29",
  outputVolts: pico(3.3),
  peakMa: pico(40),
  currentMa: { awake: pico(35), asleep: pico(0.05) },
  pins: {
    VBAT: supplyIn(pico(3.5), pico(16)),
    GND: GROUND,
    "3V3": { role: "supply-out", volts: pico(3.3), maxMa: pico(200) },
    ...pins(["B1", "B4", "B5", "B8", "B10", "B13", "B14", "B15", "A8"], STM_PIN),
    ...pins(["A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7"], STM_ANALOG),
    A9: {
      ...STM_PIN,
      uart: "out",
      keptFor: "sensing the USB port's 5 V: an output there shorts it to 3.3 V",
    },
    A10: { ...STM_PIN, uart: "in" },
    B3: { ...STM_PIN, uart: "in" },
    B6: { ...STM_PIN, uart: "out", keptFor: "the console's UART: its banner would go to the modem" },
    B7: { ...STM_PIN, uart: "in", keptFor: "the console's UART: its banner would go to the modem" },
    B9: { ...STM_PIN, keptFor: "nothing: an edge on it does not wake the board" },
  },
} as const satisfies Part;

const ESP_PIN: Pin = { role: "io", maxMa: esp32(20), hasPullUp: true };
const BOOT = "choosing how the chip starts";

export const ESP32 = {
  name: "ESP32 DevKitC",
  order: "ESP32-DevKitC with ESP32-WROOM-32 and Espruino 2v29",
  outputVolts: esp32(3.3),
  peakMa: wroom(240),
  currentMa: { awake: wroom(80), sending: wroom(240) },
  pins: {
    "5V": supplyIn(assumed(4.75), assumed(5.5)),
    GND: GROUND,
    "3V3": { role: "supply-out", volts: esp32(3.3), maxMa: assumed(250) },
    ...pins(["D4", "D13", "D14", "D16", "D17", "D18", "D19", "D21", "D22", "D23"], ESP_PIN),
    ...pins(["D25", "D26", "D27"], ESP_PIN),
    ...pins(["D32", "D33"], { ...ESP_PIN, isAnalog: true }),
    ...pins(["D34", "D35", "D36", "D39"], { role: "input-only", isAnalog: true }),
    ...pins(["D0", "D2", "D5", "D12", "D15"], { ...ESP_PIN, keptFor: BOOT }),
    ...pins(["D6", "D7", "D8", "D9", "D10", "D11"], { ...ESP_PIN, keptFor: "the chip's own flash" }),
    ...pins(["D1", "D3"], { ...ESP_PIN, keptFor: "the USB port's UART" }),
  },
} as const satisfies Part;

const UNO_PIN: Pin = { role: "io", maxMa: uno(20), hasPullUp: true };

export const UNO = {
  name: "Arduino Uno R3",
  order: "Arduino Uno R3 with StandardFirmata",
  outputVolts: uno(5),
  inputMaxVolts: mega328(5.5),
  peakMa: uno(50),
  pins: {
    USB: { role: "usb-device" },
    GND: GROUND,
    "5V": { role: "supply-out", volts: uno(5), maxMa: assumed(400) },
    ...pins(["2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"], UNO_PIN),
    ...pins(["A0", "A1", "A2", "A3", "A4", "A5"], { ...UNO_PIN, isAnalog: true }),
    ...pins(["0", "1"], { ...UNO_PIN, keptFor: "the USB port's UART" }),
    "13": { ...UNO_PIN, keptFor: "the loader, which blinks it at each start" },
  },
} as const satisfies Part;
