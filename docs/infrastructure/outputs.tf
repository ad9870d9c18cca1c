# What the platform needs to know about this infrastructure. The output is an answers file of the GitOps template:
#   terraform output -json platform_answers >infrastructure.json
# Replace the values on the right of "=" with your own resources. infrastructure.schema.json has every name and type.

data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  platform_clusters = {
    for name, cluster in aws_eks_cluster.this : name => {
      name               = cluster.name
      vpc_id             = cluster.vpc_config[0].vpc_id
      kubernetes_version = cluster.version
      # What the cluster has already, so the platform does not install it.
      provides = contains(keys(aws_eks_addon.metrics_server), name) ? ["metrics-server"] : []
      # Only if a cluster has its own certificates, for example in another region.
      acm_certificate_arn = try(aws_acm_certificate_validation.own[name].certificate_arn, null)
    }
  }
}

output "platform_answers" {
  description = "Answers for the GitOps template."
  value = {
    domain              = aws_route53_zone.platform.name
    dns_provider        = "route53"
    load_balancer       = "aws-load-balancer-controller"
    acm_certificate_arn = aws_acm_certificate_validation.platform.certificate_arn
    # Needed only without a certificate, whose ARN has both.
    aws_region  = data.aws_region.current.region
    aws_account = data.aws_caller_identity.current.account_id
    # Terraform uses null for unset values. Answers have no null, so leave such fields out.
    clusters = [
      for cluster in values(local.platform_clusters) : { for field, value in cluster : field => value if value != null }
    ]
  }
}
