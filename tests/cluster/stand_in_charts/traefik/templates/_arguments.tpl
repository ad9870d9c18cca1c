{{- /* Print the named values of a map as arguments below a prefix, without empty ones. */}}
{{- define "traefik.options" -}}
{{- range $key := .keys | default (keys .of | sortAlpha) }}
{{- $value := get $.of $key }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
- {{ printf "--%s.%s=%v" $.prefix $key $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "traefik.arguments" -}}
{{- if not .Values.global.checkNewVersion }}
- --global.checkNewVersion=false
{{- end }}
{{- if .Values.global.sendAnonymousUsage }}
- --global.sendAnonymousUsage
{{- end }}
{{- range $name, $port := .Values.ports }}
- --entryPoints.{{ $name }}.address=:{{ $port.port }}/tcp
{{- if $port.asDefault }}
- --entryPoints.{{ $name }}.asDefault=true
{{- end }}
{{- end }}
{{- with .Values.api }}
{{- include "traefik.options" (dict "prefix" "api" "of" .) }}
{{- end }}
- --ping=true
- --metrics.prometheus=true
- --metrics.prometheus.entrypoint={{ .Values.metrics.prometheus.entryPoint }}
{{- if .Values.metrics.prometheus.addRoutersLabels }}
- --metrics.prometheus.addRoutersLabels=true
{{- end }}
- --providers.kubernetescrd
{{- with .Values.providers.kubernetesCRD }}
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
- --providers.kubernetescrd.allowEmptyServices={{ .allowEmptyServices }}
{{- end }}
{{- range $name, $port := .Values.ports }}
{{- $prefix := print "entryPoints." $name }}
{{- with ($port.http).encodedCharacters }}
{{- include "traefik.options" (dict "prefix" (print $prefix ".http.encodedCharacters") "of" .) }}
{{- end }}
{{- with ($port.http).middlewares }}
- --{{ $prefix }}.http.middlewares={{ join "," . }}
{{- end }}
{{- with (($port.http).redirections).entryPoint }}
- --{{ $prefix }}.http.redirections.entryPoint.to=:{{ (index $.Values.ports .to).exposedPort }}
{{- include "traefik.options" (dict "prefix" (print $prefix ".http.redirections.entryPoint") "of" . "keys" (list "scheme" "permanent")) }}
{{- end }}
{{- if (($port.http).tls).enabled }}
- --{{ $prefix }}.http.tls=true
{{- end }}
{{- with ($port.transport).respondingTimeouts }}
{{- include "traefik.options" (dict "prefix" (print $prefix ".transport.respondingTimeouts") "of" . "keys" (list "readTimeout" "writeTimeout" "idleTimeout")) }}
{{- end }}
{{- with ($port.transport).lifeCycle }}
{{- include "traefik.options" (dict "prefix" (print $prefix ".transport.lifeCycle") "of" . "keys" (list "graceTimeOut")) }}
{{- end }}
{{- end }}
{{- with .Values.log.format }}
- --log.format={{ . }}
{{- end }}
- --log.level={{ upper .Values.log.level }}
{{- with .Values.accessLog }}
{{- if .enabled }}
- --accesslog=true
{{- with .format }}
- --accesslog.format={{ . }}
{{- end }}
- --accesslog.fields.defaultmode={{ .fields.defaultMode }}
- --accesslog.fields.headers.defaultmode={{ .fields.headers.defaultMode }}
{{- include "traefik.options" (dict "prefix" "accesslog.fields.headers.names" "of" .fields.headers.names) }}
{{- with .fields.queryParameters.defaultMode }}
- --accesslog.fields.queryparameters.defaultmode={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- range .Values.additionalArguments }}
- {{ . | quote }}
{{- end }}
{{- end }}
