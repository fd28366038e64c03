/** Who sends the spans: the resource, by OpenTelemetry's conventions. */
import { randomUUID } from 'node:crypto';
import { SDK_INFO } from '@opentelemetry/core';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  ATTR_DEPLOYMENT_ENVIRONMENT_NAME,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from '@opentelemetry/semantic-conventions';

export interface Identity {
  /** Already resolved: `OTEL_SERVICE_NAME`, else `service.name` of `OTEL_RESOURCE_ATTRIBUTES`, else the code's. */
  readonly service: string;
  readonly version: string;
  readonly environment: string;
  /** `OTEL_RESOURCE_ATTRIBUTES`: what an operator sets wins over what the code says. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * The resource of this process. `service.instance.id` is a new random UUID unless the operator gives one
 * (https://opentelemetry.io/docs/specs/semconv/resource/#service); `telemetry.sdk.*` always tells the SDK in use.
 */
export function createResource({ service, version, environment, attributes }: Identity): Resource {
  return resourceFromAttributes({
    [ATTR_SERVICE_VERSION]: version,
    [ATTR_SERVICE_INSTANCE_ID]: randomUUID(),
    [ATTR_DEPLOYMENT_ENVIRONMENT_NAME]: environment,
    ...attributes,
    [ATTR_SERVICE_NAME]: service,
    ...SDK_INFO,
  });
}
