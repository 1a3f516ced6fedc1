/** Routes drawn as the stacks they are: model format on top, silicon below; shared layers are as wide as the routes that share them. */

import type { Layer, Route } from "../../../src/base/finding.ts";
import type { DeviceReport } from "../../../src/review/report.ts";
import { Badge, harmless, layerStatus, opennessWord, works } from "../parts/index.ts";
import { arrangeRoutes, cellsOf, layerTitle, rows } from "./stack.ts";
import { go } from "./where.ts";

export function Stacks({ device }: { readonly device: DeviceReport }) {
  const routes = arrangeRoutes(device.routes);
  const { route: best, most_open: mostOpen } = device.verdict;
  return (
    <div class="stacks-scroll" role="region" aria-label={`Routes of ${device.name}`} tabIndex={0}>
      <div class="stacks" style={{ "--routes": String(routes.length) }}>
        {routes.map((route, i) => (
          <div class="roof" key={route.name} style={{ gridColumn: `${i + 2}`, gridRow: "1" }}>
            <h4>{route.name}</h4>
            <Badge {...works[route.works]} />
            <RouteWords route={route} isBest={route.name === best} isMostOpen={route.name === mostOpen} />
          </div>
        ))}
        {rows.map((name, row) => [
          <div class="rail" key={name} aria-hidden="true" style={{ gridColumn: "1", gridRow: `${row + 2}` }}>
            {layerTitle[name]}
          </div>,
          ...cellsOf(routes, name).map((cell) => (
            <LayerCell
              key={`${name} ${cell.column}`}
              layer={cell.layer}
              routes={cell.routes}
              device={device}
              style={{ gridColumn: `${cell.column + 2} / span ${cell.span}`, gridRow: `${row + 2}` }}
            />
          )),
        ])}
      </div>
    </div>
  );
}

function RouteWords({ route, isBest, isMostOpen }: { route: Route; isBest: boolean; isMostOpen: boolean }) {
  const words = [
    isBest ? (route.works === "yes" ? "best" : "nearest to working") : undefined,
    route.open ? "open throughout" : undefined,
    isMostOpen && !route.open ? "most open" : undefined,
  ].filter((word) => word !== undefined);
  return words.length === 0 ? null : <span class="soft">{words.join(" · ")}</span>;
}

interface LayerCellProps {
  readonly layer: Layer;
  readonly routes: readonly string[];
  readonly device: DeviceReport;
  readonly style: Readonly<Record<string, string>>;
}

function LayerCell({ layer, routes, device, style }: LayerCellProps) {
  const { symbol, word } = layerStatus[layer.status];
  const is = harmless(layer.is);
  const open = layer.openness === "none" ? "" : opennessWord[layer.openness];
  const [first = ""] = routes;
  const told = [
    `${layerTitle[layer.name]}: ${is}`,
    word,
    open === "" ? "" : `openness: ${open}`,
    `route ${routes.join(", ")}`,
  ];
  return (
    <button
      type="button"
      class={`layer layer-${layer.status} open-${layer.openness}`}
      style={style}
      aria-haspopup="dialog"
      aria-label={told.filter((one) => one !== "").join("; ")}
      onClick={() => go(device.id, first, layer.name)}
    >
      <span class="symbol">{symbol}</span>
      <span class="layer-text">
        <span class="layer-name">{layerTitle[layer.name]}</span>
        <span class="layer-is">{layer.status === "unneeded" ? "not needed" : is}</span>
      </span>
      <span class="layer-words">
        {layer.status === "ok" || layer.status === "unneeded" ? "" : word}
        {layer.status === "unneeded" || open === "" ? "" : <span>{open}</span>}
      </span>
    </button>
  );
}

/** The same in a line, for cards that are closed: silicon first. */
export function Strip({ route }: { readonly route: Route }) {
  const bad = route.layers.find(({ status }) => status === "missing" || status === "faulty");
  const says = bad === undefined ? works[route.works].word : `${layerTitle[bad.name]} ${layerStatus[bad.status].word}`;
  return (
    <span class="strip" role="img" aria-label={`route ${route.name}: ${says}`}>
      {route.layers.map((layer) => (
        <span key={layer.name} class={`layer-${layer.status} open-${layer.openness}`}>
          {layerStatus[layer.status].symbol}
        </span>
      ))}
    </span>
  );
}
