package server

import "github.com/gin-gonic/gin"

// PostRoutes are the paths of the public host that take a POST.
func (s *Server) PostRoutes() []string {
	var paths []string
	for _, r := range s.public.(*gin.Engine).Routes() {
		if r.Method == "POST" {
			paths = append(paths, r.Path)
		}
	}
	return paths
}
