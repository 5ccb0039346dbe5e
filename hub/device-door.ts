/** The devices of a hub's folder: through the running hub where there is one, else straight into its journal. */
import path from "node:path";
import { type DeviceView, deviceView } from "./device-registry.ts";
import { checkDevices } from "./devices.ts";
import { withDeviceTables } from "./journal/offline.ts";
import { askHub } from "./status.ts";

export interface DeviceDoor {
  list(): Promise<DeviceView[]>;
  /** JSON as `DeviceInput`, all or nothing. Rejects with what is wrong; `placeOf` names an entry in it. */
  add(inputs: readonly unknown[], placeOf?: (index: number) => string): Promise<void>;
}

export function deviceDoor(dir: string): DeviceDoor {
  const journal = path.join(dir, "journal.sqlite");
  const socket = path.join(dir, "status.sock");
  const running = async () => (await askHub(socket, "GET", "/devices")) as DeviceView[] | null;
  return {
    list: async () =>
      (await running()) ?? withDeviceTables(journal, (tables) => tables.load().map(deviceView)),
    async add(inputs, placeOf) {
      const devices = await running();
      if (devices !== null) {
        // here too, so that messages name the place; the running hub checks again
        checkDevices(inputs, new Set(devices.map(({ devEui }) => devEui)), placeOf);
        await askHub(socket, "POST", "/devices", inputs);
        return;
      }
      withDeviceTables(journal, (tables) => {
        const known = new Set(tables.load().map(({ devEui }) => devEui));
        for (const row of checkDevices(inputs, known, placeOf)) tables.saveDevice(row);
      });
    },
  };
}
