{{/* What the admission policies share. */}}
{{- define "certpair.binding" }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels: {{- .labels | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [{{ .action | default "Deny" }}]
{{- end }}
{{- define "certpair.notOperator" }}
  - name: not-the-operator
    expression: request.userInfo.username != '{{ include "certpair.user" . }}'
{{- end }}
{{- /* These users delete objects whose owner or namespace was deleted. The third is for clusters where the controllers have no
       accounts of their own. */}}
{{- define "certpair.notCollector" }}
  - name: not-a-collector
    expression: >-
      !(request.userInfo.username in ['system:serviceaccount:kube-system:generic-garbage-collector',
      'system:serviceaccount:kube-system:namespace-controller', 'system:kube-controller-manager'])
{{- end }}
{{- /* CEL: whether spec.secret may put the key k on a Secret, as controller.secretMetadataAllow says. */}}
{{- define "certpair.allowedKey" -}}
(!k.matches('^([^/]*\\.)?certpair\\.dev/|^[^/]*(kubernetes|k8s)\\.io/') && (false
{{- range .Values.controller.secretMetadataAllow }}
{{- if hasSuffix "*" . }} || k.startsWith({{ trimSuffix "*" . | squote }}){{ else }} || k == {{ . | squote }}{{ end }}
{{- end }}))
{{- end }}
{{- /* CEL: the octets of all labels, annotations (without kubectl's copy of the object), owners and finalizers, from the variables
       whose names end with the given suffix. */}}
{{- define "certpair.metadataSize" -}}
{{- range list "labels" "annotations" }}
variables.{{ . }}{{ $ }}.map(k, k == 'kubectl.kubernetes.io/last-applied-configuration' ? 0 : k.size() + bytes(string(variables.{{ . }}{{ $ }}[k])).size()).sum() +
{{- end }}
variables.finalizers{{ $ }}.map(f, f.size()).sum() +
variables.ownerReferences{{ $ }}.map(o, bytes(string(o.apiVersion) + string(o.kind) + string(o.name) + string(o.uid)).size()).sum()
{{- end }}
{{- /* Break-glass: a reason in the annotation, from a user with the right. The audit log records the reason. `granted` is a variable
       of its own, so that the authorizer is asked only when it matters. A request for an authority names no namespace. */}}
{{- define "certpair.breakGlass" }}
  - name: granted
    expression: >-
      authorizer.group('certpair.dev').resource('provisioningsystems').namespace(request.?namespace.orValue('')).check('breakglass').allowed()
  - name: bearer
    expression: 'request.operation == "DELETE" ? oldObject : object'
  - name: reason
    expression: variables.bearer.metadata.?annotations[?'certpair.dev/break-glass'].orValue('')
  - name: brokenGlass
    expression: variables.reason != '' && variables.granted
{{- end }}
{{- define "certpair.auditBreakGlass" }}
  auditAnnotations:
  - key: break-glass
    valueExpression: "variables.reason != '' ? request.userInfo.username + ': ' + variables.reason : ''"
{{- end }}
