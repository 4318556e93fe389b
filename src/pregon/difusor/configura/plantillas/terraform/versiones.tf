# Módulo de Terraform u OpenTofu hecho por «pregon difusor configura terraform». Los valores van en
# pregon.auto.tfvars.json. docs/operacion/nube.md dice cómo se pone en marcha y qué se paga.
terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60, < 7.0"
    }
  }
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "esta" {}

data "aws_partition" "esta" {}

data "aws_availability_zones" "hay" {
  state = "available"
}
