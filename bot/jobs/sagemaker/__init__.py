"""Jobs of kind sagemaker: training jobs, processing jobs and executions of pipelines in Amazon SageMaker."""
