{{/* One installation in a cluster: the operator's names are fixed, so a second release collides with the first. */}}
{{- define "certpair.name" -}}certpair-controller{{- end }}

{{- define "certpair.selector" -}}
app.kubernetes.io/name: certpair
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "certpair.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: certpair
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "certpair.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The operator's user name, for policies and bindings. */}}
{{- define "certpair.user" -}}system:serviceaccount:{{ .Release.Namespace }}:{{ include "certpair.name" . }}{{- end }}

{{/* "true" where this is rendered against a cluster that answers: lookup is meaningful only then. */}}
{{- define "certpair.connected" -}}
{{- if lookup "v1" "Namespace" "" "kube-system" }}true{{ end }}
{{- end }}

{{/* The watched namespaces that exist, as JSON: a Role cannot be created in a namespace that does not exist yet. */}}
{{- define "certpair.watched" -}}
{{- $there := list }}
{{- $connected := include "certpair.connected" . }}
{{- range .Values.watchNamespaces | uniq }}
{{- if or (not $connected) (eq . $.Release.Namespace) (lookup "v1" "Namespace" "" .) }}
{{- $there = append $there . }}
{{- end }}
{{- end }}
{{- toJson $there }}
{{- end }}

{{/* Where a cluster does not offer policies they are left out, and NOTES.txt says so. */}}
{{- define "certpair.policies" -}}
{{- if .Values.policies.enabled }}
{{- if or (not (include "certpair.connected" .)) (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy") }}true{{ end }}
{{- end }}
{{- end }}

{{/* Seconds of a duration such as 1h30m15s. The schema has checked its form. */}}
{{- define "certpair.seconds" -}}
{{- $total := 0 }}
{{- range $unit, $seconds := dict "h" 3600 "m" 60 "s" 1 }}
{{- $total = add $total (mul $seconds (regexFind (printf "[0-9]+%s" $unit) $ | trimSuffix $unit | atoi)) }}
{{- end }}
{{- $total }}
{{- end }}
