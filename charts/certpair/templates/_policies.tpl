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
{{- /* They delete what its owner or its namespace is gone of; where they run without accounts of their own, as the third. */}}
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
{{- /* CEL: the octets of all labels, annotations (but for kubectl's copy of the object), owners and finalizers, in the variables
       whose names end as told. */}}
{{- define "certpair.metadataSize" -}}
{{- range list "labels" "annotations" }}
variables.{{ . }}{{ $ }}.map(k, k == 'kubectl.kubernetes.io/last-applied-configuration' ? 0 : k.size() + bytes(string(variables.{{ . }}{{ $ }}[k])).size()).sum() +
{{- end }}
variables.finalizers{{ $ }}.map(f, f.size()).sum() +
variables.ownerReferences{{ $ }}.map(o, bytes(string(o.apiVersion) + string(o.kind) + string(o.name) + string(o.uid)).size()).sum()
{{- end }}
{{- /* A reason in the annotation, by somebody who holds the right; the reason stands in the audit log. `granted` is said
       apart, since an authorizer is asked only when it matters. What is in no namespace (an authority) has none in its request. */}}
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
