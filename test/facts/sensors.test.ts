import { describe, expect, it } from "vitest";
import { readSensors, type Sensor } from "../../src/facts/sensors.ts";
import { openLive } from "../../src/root/directory.ts";
import { smallRoot } from "./small-root.ts";

function sensors(...args: Parameters<typeof smallRoot>): readonly Sensor[] {
  const reading = readSensors(smallRoot(...args));
  if (reading.state !== "read") throw new Error(reading.state);
  return reading.value;
}

const card = "/sys/devices/pci0000:00/0000:01:00.0";
const npu = "/sys/devices/platform/fdab0000.npu";
const files = {
  [`${card}/power/runtime_status`]: "active\n",
  [`${card}/hwmon/hwmon3/name`]: "amdgpu\n",
  [`${card}/hwmon/hwmon3/device`]: "-> ../../../0000:01:00.0",
  [`${card}/hwmon/hwmon3/temp1_input`]: "45500\n",
  [`${card}/hwmon/hwmon3/temp1_label`]: "edge\n",
  [`${card}/hwmon/hwmon3/power1_average`]: "32500000\n",
  [`${card}/hwmon/hwmon3/in0_input`]: "850\n",
  [`${card}/hwmon/hwmon3/fan1_input`]: "1200\n",
  [`${card}/hwmon/hwmon3/freq1_input`]: "1800000000\n",
  [`${card}/hwmon/hwmon3/temp2_input`]: "garbage\n",
  [`${card}/hwmon/hwmon3/temp1_crit_alarm`]: "0\n",
  [`${card}/hwmon/hwmon3/pwm1`]: "77\n",
  "/sys/class/hwmon/hwmon3": `-> ../../devices/pci0000:00/0000:01:00.0/hwmon/hwmon3`,
  [`${npu}/devfreq/fdab0000.npu/cur_freq`]: "600000000\n",
  [`${npu}/devfreq/fdab0000.npu/max_freq`]: "1000000000\n",
  [`${npu}/devfreq/fdab0000.npu/load`]: "37@600000000Hz\n",
  [`${npu}/devfreq/fdab0000.npu/governor`]: "rknpu_ondemand\n",
  [`${npu}/devfreq/fdab0000.npu/available_frequencies`]: "300000000 600000000 1000000000\n",
  [`${npu}/devfreq/fdab0000.npu/device`]: "-> ../../../fdab0000.npu",
  "/sys/class/devfreq/fdab0000.npu": "-> ../../devices/platform/fdab0000.npu/devfreq/fdab0000.npu",
  "/sys/class/thermal/thermal_zone6/type": "npu-thermal\n",
  "/sys/class/thermal/thermal_zone6/temp": "41600\n",
  "/sys/class/thermal/cooling_device0/type": "Processor\n",
};

describe("sensors", () => {
  const found = sensors(files);

  it("are told by kind, label and the device behind them, not by their number", () => {
    expect(found.map((sensor) => [sensor.kind, sensor.label])).toStrictEqual([
      ["hwmon", "amdgpu"],
      ["devfreq", "fdab0000.npu"],
      ["thermal", "npu-thermal"],
    ]);
    expect(found[0]?.device).toMatchObject({ state: "read", value: card });
    expect(found[1]?.device).toMatchObject({ state: "read", value: npu });
    expect(found[2]?.device.state).toBe("absent");
  });

  it("give values in base units and leave out what is no value", () => {
    const values = [...(found[0]?.values ?? [])].map(([name, value]) => [
      name,
      value.state === "read" ? value.value : value.state,
    ]);
    expect(Object.fromEntries(values)).toStrictEqual({
      temp1_input: 45.5,
      temp2_input: "malformed",
      power1_average: 32.5,
      in0_input: 0.85,
      fan1_input: 1200,
      freq1_input: 1.8e9,
    });
    expect(found[0]?.channels).toStrictEqual(new Map([["temp1", "edge"]]));
    expect(found[2]?.values.get("temp")).toMatchObject({ value: 41.6 });
  });

  it("of devfreq have clock, load, governor and the clocks there are", () => {
    expect(found[1]).toMatchObject({
      governor: { value: "rknpu_ondemand" },
      frequencies: { value: [3e8, 6e8, 1e9] },
    });
    expect(found[1]?.values.get("cur_freq")).toMatchObject({ value: 6e8 });
    expect(found[1]?.values.get("load")).toMatchObject({ value: 0.37 });
  });

  it("of a sleeping device are not read", () => {
    const [asleep] = sensors({ ...files, [`${card}/power/runtime_status`]: "suspended\n" });
    expect(asleep).toMatchObject({ label: "amdgpu", asleep: true });
    expect(asleep?.values.size).toBe(0);
  });

  it("that nobody captured are uncaptured, that are not there absent", () => {
    expect(readSensors(smallRoot({}, { uncaptured: ["/sys"] })).state).toBe("uncaptured");
    expect(readSensors(smallRoot({})).state).toBe("absent");
  });

  it("of this machine can be asked", () => {
    const here = readSensors(openLive());
    expect(["read", "absent"]).toContain(here.state);
    if (here.state === "read") for (const sensor of here.value) expect(sensor.values).toBeInstanceOf(Map);
  });
});
