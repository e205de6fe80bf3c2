variable "name_prefix" {
  description = "Name of the user pool, and beginning of its app client's."
  type        = string
}
