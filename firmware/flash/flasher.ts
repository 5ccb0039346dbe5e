/** What `tugma flash` needs of the firmware: which programs there are, on which boards they run, and a board's session. */
import { buildFirmware, ROLES, type Role, type UplinkName } from "../build.ts";
import { type ByteStream, CONSOLE_TIMING, FlashError } from "./console.ts";
import { type BoardSession, connectBoard, isAtLeast } from "./upload.ts";

/** The interpreter whose dialect the programs are checked against. */
const OLDEST_VERSION = [2, 29] as const;

const ARM = [
  "PICO_R1_3",
  "ESPRUINOWIFI",
  "PUCKJS",
  "PIXLJS",
  "MDBT42Q",
  "NRF52832DK",
  "NRF52840DK",
  "XIAOBLE",
  "JOLTJS",
];
const WIFI = ["ESP32", "ESP32_IDF4", "ESP32C3_IDF4", "ESP32S3_IDF4"];
/** No AES: not for carriers on which the board makes its LoRaWAN frames itself. */
const NO_AES = ["RP2040_PICO", "RP2350_PICO2"];

/** Boards by Espruino's name for them that can carry an uplink; the key is the uplink's. */
const BOARDS: Readonly<Record<string, readonly string[]>> = {
  rak3172: [...ARM, ...WIFI, ...NO_AES],
  rn2483: [...ARM, ...WIFI, ...NO_AES],
  wire: [...ARM, ...WIFI],
  mqtt: WIFI,
};

/** Uplinks of each role. */
export const programs: Readonly<Record<string, readonly string[]>> = ROLES;

/** The bundle as it is flashed. Throws a FirmwareError when it has a flaw. */
export async function program(role: string, uplink: string): Promise<string> {
  if (programs[role]?.includes(uplink) !== true) throw new Error(`no program for ${role} on ${uplink}`);
  return (await buildFirmware(role as Role, uplink as UplinkName)).code;
}

/** Opens a board's console. Throws a FlashError when it is no board for this uplink, or its Espruino is too old. */
export async function connect(
  stream: ByteStream,
  uplink: string,
  timing = CONSOLE_TIMING,
): Promise<BoardSession> {
  const session = await connectBoard(stream, timing);
  const refusal = refusalOf(session, uplink);
  if (refusal === null) return session;
  await session.resume();
  throw refusal;
}

function refusalOf({ board, version }: BoardSession, uplink: string): FlashError | null {
  const boards = BOARDS[uplink] ?? [];
  if (!boards.includes(board))
    return new FlashError(
      "wrongBoard",
      `this is a ${board}; ${uplink} runs on ${boards.join(", ")}. Check which board is on the port`,
    );
  if (!isAtLeast(version, OLDEST_VERSION))
    return new FlashError(
      "tooOld",
      `its Espruino is ${version}; at least ${OLDEST_VERSION.join("v")} is needed. Update the board first`,
    );
  return null;
}
