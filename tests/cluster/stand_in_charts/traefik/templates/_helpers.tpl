{{- define "traefik.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}-{{ .Release.Namespace }}
{{- end }}

{{- define "traefik.labels" -}}
{{ include "traefik.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "traefik.metadata" -}}
name: {{ .Release.Name }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "traefik.labels" . | nindent 2 }}
{{- end }}

{{- define "traefik.clusterMetadata" -}}
name: {{ .Release.Name }}-{{ .Release.Namespace }}
labels:
  {{- include "traefik.labels" . | nindent 2 }}
{{- end }}

{{- /* GOMEMLIMIT: a share of the memory limit, in whole MiB. */}}
{{- define "traefik.goMemoryLimit" -}}
{{- $units := dict "Ki" 0x1p10 "Mi" 0x1p20 "Gi" 0x1p30 "Ti" 0x1p40 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 }}
{{- $memory := .Values.resources.limits.memory }}
{{- $unit := regexFind "[A-Za-z]+$" $memory }}
{{- $bytes := mulf (trimSuffix $unit $memory) (required (print "unknown unit of memory: " $memory) (get $units $unit)) }}
{{- printf "%dMiB" (divf (mulf $bytes .Values.deployment.goMemLimitPercentage) 0x1p20 | floor | int64) }}
{{- end }}
