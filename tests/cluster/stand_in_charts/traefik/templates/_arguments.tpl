{{- /* The values of a map as arguments below a prefix: those of some keys, else all. Empty ones are left out. */}}
{{- define "traefik.options" -}}
{{- $of := .of | default dict }}
{{- range $key := .keys | default (keys $of | sortAlpha) }}
{{- $value := get $of $key }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
- {{ printf "--%s.%s=%v" $.prefix $key $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "traefik.arguments" -}}
{{- with .Values.global }}
{{- if not .checkNewVersion }}
- --global.checkNewVersion=false
{{- end }}
{{- if .sendAnonymousUsage }}
- --global.sendAnonymousUsage
{{- end }}
{{- end }}
{{- range $name, $port := .Values.ports }}
- --entryPoints.{{ $name }}.address=:{{ $port.port }}/tcp
{{- if $port.asDefault }}
- --entryPoints.{{ $name }}.asDefault=true
{{- end }}
{{- end }}
{{- include "traefik.options" (dict "prefix" "api" "of" .Values.api) }}
- --ping=true
{{- with .Values.metrics.prometheus }}
- --metrics.prometheus=true
- --metrics.prometheus.entrypoint={{ .entryPoint }}
{{- if .addRoutersLabels }}
- --metrics.prometheus.addRoutersLabels=true
{{- end }}
{{- include "traefik.options" (dict "prefix" "metrics.prometheus" "of" . "keys" (list "addEntryPointsLabels" "addServicesLabels")) }}
{{- end }}
{{- with .Values.providers.kubernetesCRD }}
- --providers.kubernetescrd
{{- if .allowCrossNamespace }}
- --providers.kubernetescrd.allowCrossNamespace=true
{{- end }}
{{- with .crossProviderNamespaces }}
- --providers.kubernetescrd.crossProviderNamespaces={{ join "," . }}
{{- end }}
{{- with .defaultTLSResourcesNamespace }}
- --providers.kubernetescrd.defaultTLSResourcesNamespace={{ . }}
{{- end }}
{{- if .safeNaming }}
- --providers.kubernetescrd.safeNaming=true
{{- end }}
{{- if .allowExternalNameServices }}
- --providers.kubernetescrd.allowExternalNameServices=true
{{- end }}
{{- include "traefik.options" (dict "prefix" "providers.kubernetescrd" "of" . "keys" (list "allowEmptyServices")) }}
{{- end }}
{{- range $name, $port := .Values.ports }}
{{- $prefix := print "entryPoints." $name }}
{{- with $port.http }}
{{- with .middlewares }}
- --{{ $prefix }}.http.middlewares={{ join "," . }}
{{- end }}
{{- with (.redirections).entryPoint }}
- --{{ $prefix }}.http.redirections.entryPoint.to=:{{ (index $.Values.ports .to).exposedPort }}
{{- include "traefik.options" (dict "prefix" (print $prefix ".http.redirections.entryPoint") "of" . "keys" (list "scheme" "permanent")) }}
{{- end }}
{{- if (.tls).enabled }}
- --{{ $prefix }}.http.tls=true
{{- end }}
{{- end }}
{{- with $port.transport }}
{{- include "traefik.options" (dict "prefix" (print $prefix ".transport.respondingTimeouts") "of" .respondingTimeouts "keys" (list "readTimeout" "writeTimeout" "idleTimeout")) }}
{{- include "traefik.options" (dict "prefix" (print $prefix ".transport.lifeCycle") "of" .lifeCycle "keys" (list "requestAcceptGraceTimeout" "graceTimeOut")) }}
{{- end }}
{{- end }}
{{- with .Values.log }}
{{- with .format }}
- --log.format={{ . }}
{{- end }}
{{- with .level }}
- --log.level={{ upper . }}
{{- end }}
{{- end }}
{{- with .Values.accessLog }}
{{- if .enabled }}
- --accesslog=true
{{- with .format }}
- --accesslog.format={{ . }}
{{- end }}
- --accesslog.fields.defaultmode={{ .fields.defaultMode }}
{{- include "traefik.options" (dict "prefix" "accesslog.fields.names" "of" .fields.names) }}
- --accesslog.fields.headers.defaultmode={{ .fields.headers.defaultMode }}
{{- include "traefik.options" (dict "prefix" "accesslog.fields.headers.names" "of" .fields.headers.names) }}
{{- with .fields.queryParameters.defaultMode }}
- --accesslog.fields.queryparameters.defaultmode={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- range .Values.additionalArguments }}
- {{ quote . }}
{{- end }}
{{- end }}
