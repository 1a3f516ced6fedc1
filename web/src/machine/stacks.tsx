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
            <Badge
              {...works[route.works]}
              tone={device.bus === "cpu" && route.works === "no" ? "plain" : works[route.works].tone}
            />
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
  const open = layer.openness === "none" ? "" : opennessWord[layer.openness];
  const isNeeded = layer.status !== "unneeded";
  const [first = ""] = routes;
  return (
    <button
      type="button"
      class={`layer layer-${layer.status} open-${layer.openness}`}
      style={style}
      aria-haspopup="dialog"
      title={isNeeded ? harmless(layer.is) : undefined}
      onClick={() => go(device.id, first, layer.name)}
    >
      <span class="symbol" aria-hidden="true">
        {symbol}
      </span>
      <span class="layer-text">
        <span class="layer-name">{layerTitle[layer.name]} </span>
        <span class="layer-is">{isNeeded ? harmless(layer.is) : word}</span>
      </span>
      {isNeeded && (
        <span class="layer-words">
          <span class={layer.status === "ok" ? "unseen" : undefined}>{word}</span>
          <span>{open}</span>
        </span>
      )}
      <span class="unseen">route {routes.join(", ")}</span>
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
